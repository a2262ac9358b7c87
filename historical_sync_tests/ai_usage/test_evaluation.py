"""Measuring the signatures: the arithmetic on small files, the bar on the labelled corpus."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from historical_sync.ai_usage.evaluation import Share, Tally, evaluate, predict
from historical_sync.ai_usage.labelled import parse_labelled, read_labelled
from historical_sync.cli import main
from historical_sync.errors import ConfigurationError

CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"
SUGGESTED = "Co-authored-by: coderabbitai[bot] <136622811+coderabbitai[bot]@users.noreply.github.com>"


def line(number: int, label: bool | None, **changes: Any) -> dict[str, Any]:
    return {
        "repo": "acme/api",
        "number": number,
        "title": "Add the thing",
        "body": "",
        "author_login": "ada",
        "commit_messages": ["Add the thing"],
        "commit_authors": ["Ada <ada@example.com>"],
        "head_ref": "",
        "is_ai_authored": label,
        "tools": [],
        "hard_kind": "some_kind",
        **changes,
    }


LINES = [
    line(1, True, tools=["claude"], commit_messages=[f"Add\n\n{CLAUDE}"], hard_kind="found"),
    line(2, True, tools=["cursor"], commit_messages=[f"Add\n\n{CLAUDE}"], hard_kind="other_tool"),
    line(3, True, tools=["claude"], hard_kind="missed"),
    line(4, False, body="Written with Claude.", hard_kind="wrong"),
    line(5, False, hard_kind="right"),
    line(6, True, commit_messages=[f"Add\n\n{SUGGESTED}"], hard_kind="pos_accepted_suggestion"),
    line(7, None),
]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in LINES) + "\n\n")
    return path


def test_the_report_counts_what_is_there(labels: Path) -> None:
    """Headline, tools, kinds and misses of seven lines that can be checked by hand; suggestions stand apart."""
    report = evaluate(predict(one) for one in read_labelled(labels))
    overall = report.overall
    assert (overall.true_positives, overall.false_positives) == (2, 1)
    assert (overall.false_negatives, overall.true_negatives) == (1, 1)
    assert overall.precision.value == pytest.approx(2 / 3)
    assert overall.recall.value == pytest.approx(2 / 3)
    assert overall.f1 == pytest.approx(2 / 3)
    assert report.tools_right == {True: 1, False: 1}
    assert report.suggestions == {True: 1}
    assert report.unlabelled == 1
    assert {one.labelled.pull_request.number for one in report.misses} == {3, 4}
    assert [one.labelled.pull_request.number for one in report.wrong_tools] == [2]
    assert (report.by_tool["claude"].true_positives, report.by_tool["claude"].false_positives) == (1, 2)
    assert report.by_kind["wrong"].correct.value == 0.0
    assert "pos_accepted_suggestion" not in report.by_kind


def test_intervals_are_wilsons() -> None:
    """Against the published example of Wilson's score interval: 81 of 263 gives 0.255 to 0.366."""
    assert Share(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=5e-4)
    assert Share(0, 0).value is None
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Tally().f1 is None


def test_the_nested_form_is_read_too(tmp_path: Path) -> None:
    """An export with commits, authors and reviews as objects, compressed, is measured like the flat form."""
    record = {
        "repo": "acme/api",
        "number": 1,
        "title": "Add",
        "body": None,
        "author": {"login": "ada", "type": "User"},
        "head_ref": None,
        "commits": [{"message": "Add", "author": {"name": "x", "email": "amp@ampcode.com", "login": None}}],
        "reviews": [{"author": None}, {"author": {"login": "coderabbitai[bot]", "type": "Bot"}, "state": "COMMENTED"}],
        "is_ai_authored": True,
    }
    path = tmp_path / "labels.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(record).encode()))
    (one,) = [predict(labelled) for labelled in read_labelled(path)]
    assert one.is_ai_authored
    assert one.tools == {"amp"}
    assert {hit.role for hit in one.evidence} == {"author", "reviewer"}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"repo": "a/b"}', '{"repo": "a/b", "number": 1, "is_ai_authored": "yes"}']
)
def test_a_line_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    """A broken line stops the measurement with its number: a shorter file would be a better score."""
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps(LINES[0]) + "\n" + text + "\n")
    with pytest.raises(ConfigurationError, match="line 2"):
        list(read_labelled(path))


def test_the_command_prints_misses_and_writes_predictions(labels: Path, tmp_path: Path) -> None:
    """For people: shares with intervals and each miss with its text; for programs: one line a pull request."""
    out = tmp_path / "out.jsonl"
    result = CliRunner().invoke(main, ["evaluate", str(labels), "--predictions", str(out)])
    assert result.exit_code == 0, result.output
    assert "acme/api#4" in result.output
    assert "Written with Claude." in result.output
    assert "precision" in result.output
    lines = [json.loads(text) for text in out.read_text().splitlines()]
    assert [one["number"] for one in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert lines[0] == {"repo": "acme/api", "number": 1, "is_ai_authored": True, "tools": ["claude"]}
    assert lines[4] == {"repo": "acme/api", "number": 5, "is_ai_authored": False, "tools": []}


def test_the_command_speaks_json(labels: Path) -> None:
    """The whole report for CI."""
    result = CliRunner().invoke(main, ["evaluate", str(labels), "--json"])
    report = json.loads(result.output)
    assert report["overall"]["precision"]["n"] == 3
    assert report["by_kind"]["missed"]["recall"]["value"] == 0.0
    assert {miss["number"] for miss in report["misses"]} == {3, 4}


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    """No file, and no place for the predictions: one line that says so, and exit status 1."""
    missing = CliRunner().invoke(main, ["evaluate", str(tmp_path / "none.jsonl")])
    assert missing.exit_code == 1
    assert "cannot be read" in missing.output
    (tmp_path / "labels.jsonl").write_text(json.dumps(LINES[0]))
    arguments = ["evaluate", str(tmp_path / "labels.jsonl"), "--predictions", str(tmp_path / "no" / "out.jsonl")]
    unwritable = CliRunner().invoke(main, arguments)
    assert unwritable.exit_code == 1
    assert "cannot be written" in unwritable.output


def test_text_that_json_allows_and_postgresql_does_not(tmp_path: Path) -> None:
    """Lone surrogates and NUL come through JSON; they are mended at the border."""
    labelled = parse_labelled({**line(1, True), "body": "a\0b"})
    assert labelled.pull_request.body in ("a\0b", "ab")
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({**line(1, True), "body": "Written with Claude. \ud800\0"}) + "\n")
    (one,) = [predict(labelled) for labelled in read_labelled(path)]
    assert one.is_ai_authored


@pytest.mark.corpus
def test_the_bar_on_the_labelled_corpus(corpus: Path) -> None:
    """Precision at least 0.97 and recall at least 0.93, 0.99 on exact trailers, right tools on 0.97; nothing flagged
    among the easy ones, on each half of the repositories as well as on the whole."""
    predictions = [predict(one) for one in read_labelled(corpus / "labels.jsonl")]
    repositories = sorted({one.labelled.pull_request.repository for one in predictions})
    halves = (set(repositories[::2]), set(repositories[1::2]), set(repositories))
    for part in halves:
        report = evaluate(one for one in predictions if one.labelled.pull_request.repository in part)
        assert (report.overall.precision.value or 0) >= 0.97
        assert (report.overall.recall.value or 0) >= 0.93
    by_kind = report.by_kind
    assert (by_kind["pos_trailer_commit_only"].recall.value or 0) >= 0.99
    assert by_kind["neg_easy"].false_positives == 0
    assert report.tools_right_exact[True] / report.tools_right_exact.total() >= 0.97
    assert report.suggestions[True] / report.suggestions.total() >= 0.95
