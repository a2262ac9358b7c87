"""`historical-sync evaluate`: the signatures measured on labelled pull requests, for people and for CI. No database."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from historical_sync.ai_usage import evaluation
from historical_sync.ai_usage.evaluation import Prediction, Report, Share, Tally, predict, share_of, text_of
from historical_sync.ai_usage.labelled import read_labelled
from historical_sync.ai_usage.signatures import RULESET_VERSION
from historical_sync.cli.errors import reports_errors
from historical_sync.errors import ConfigurationError

WIDTH_OF_MISS = 110


@click.command()
@click.argument("labels", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--predictions",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a line {repo, number, is_ai_authored, tools} for each pull request to this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
@reports_errors
def evaluate(labels: Sequence[Path], out: Path | None, as_json: bool) -> None:
    """Measure the AI signatures on labelled pull requests (LABELS.jsonl or .jsonl.gz, as docs/detection.md says).

    \b
    historical-sync evaluate labels.jsonl                           precision, recall and F1, overall and per kind
    historical-sync evaluate labels.jsonl --predictions out.jsonl   what was said of each, to look at the mistakes
    """
    predictions = [predict(labelled) for path in labels for labelled in read_labelled(path)]
    if out is not None:
        write_predictions(out, predictions)
    report = evaluation.evaluate(predictions)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        show(report, Console(highlight=False))


def write_predictions(out: Path, predictions: Iterable[Prediction]) -> None:
    """One JSON object a line, in the order of the input. Raises ConfigurationError where `out` cannot be written."""
    try:
        with out.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(one.as_json(), ensure_ascii=False) + "\n" for one in predictions)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}.") from error


def show(report: Report, console: Console) -> None:
    """The report on a terminal: headline, kinds, tools, then every miss with its text."""
    console.print(f"ruleset {RULESET_VERSION}", style="dim")
    console.print(_headline(report))
    console.print(_tallies("kind", report.by_kind, of_kinds=True))
    console.print(_tallies("tool", report.by_tool, of_kinds=False))
    _show_misses(console, "Misses", report.misses)
    _show_misses(console, "Found, with other tools than labelled", report.wrong_tools)
    if report.unlabelled:
        console.print(f"{report.unlabelled} pull requests have no label and are left out.", style="dim")


def _headline(report: Report) -> Table:
    table = Table("AI-authored", "share", "95 % interval", "of", title_justify="left")
    rows = (
        ("precision", report.overall.precision),
        ("recall", report.overall.recall),
        ("right tools, of hits", share_of(report.tools_right)),
        ("right tools, of hits with a published signature", share_of(report.tools_right_exact)),
        ("accepted suggestions found as such", share_of(report.suggestions)),
    )
    for name, share in rows:
        table.add_row(name, *_cells(share))
    f1 = report.overall.f1
    table.add_row("F1", "-" if f1 is None else f"{f1:.3f}", "", "")
    return table


def _cells(share: Share) -> tuple[str, str, str]:
    low, high = share.interval
    value = "-" if share.value is None else f"{share.value:.3f}"
    return value, f"{low:.3f} – {high:.3f}", f"{share.hits} / {share.n}"


def _tallies(name: str, tallies: dict[str, Tally], *, of_kinds: bool) -> Table:
    heads = (name, "right", "95 % interval", "of") if of_kinds else (name, "precision", "recall", "F1", "labelled")
    table = Table(*heads)
    for key, tally in sorted(tallies.items()):
        if of_kinds:
            table.add_row(key, *_cells(tally.correct))
        else:
            f1 = "-" if tally.f1 is None else f"{tally.f1:.3f}"
            table.add_row(key, _cells(tally.precision)[0], _cells(tally.recall)[0], f1, str(tally.recall.n))
    return table


def _show_misses(console: Console, title: str, misses: Sequence[Prediction]) -> None:
    if not misses:
        return
    console.print(f"\n{title} ({len(misses)})", style="bold")
    for one in misses:
        pull_request, label = one.labelled.pull_request, one.labelled
        said = f"{label.is_ai_authored} {sorted(label.tools)}, found {one.is_ai_authored} {sorted(one.tools)}"
        head = f"{pull_request.repository}#{pull_request.number} {label.kind}: labelled {said}"
        console.print(Text(f"\n{head}", style="yellow"))
        for hit in one.evidence:
            console.print(Text(f"  {hit.role} {hit.signature_id} in {hit.source}: {hit.quote}", style="dim"))
        text = " ".join(text_of(label).split())
        console.print(Text(textwrap.indent(textwrap.fill(text, WIDTH_OF_MISS), "  ")))
