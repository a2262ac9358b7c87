"""What the Dagster UI shows of one materialisation: numbers to plot, tables, links, and the checks beside it.

Each function turns a stage's summary into a `MaterializeResult`. Keys of numbers stay the same from run to run, since
the UI draws one line a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from historical_sync.orchestration import links
from historical_sync.orchestration.descriptions import EVIDENCE_AGREES, LEDGER_BALANCED, REPOSITORIES_COMPLETE
from historical_sync.orchestration.resources import Pipeline
from historical_sync.records import TeamMonth

if TYPE_CHECKING:
    from historical_sync.ai_usage.retagging import TaggingSummary
    from historical_sync.classification.ledger import ClassificationSummary
    from historical_sync.github.ingestion import MonthIngestion, RepositoryMonth
    from historical_sync.trends.publication import TrendSummary

    Result = dg.MaterializeResult[None]
else:  # Dagster reads an asset's return annotation, and knows only the bare class
    Result = dg.MaterializeResult

Metadata = dict[str, Any]
MOST_TOOLS_PLOTTED = 5


def ingested(pipeline: Pipeline, partition: TeamMonth, summary: MonthIngestion) -> Result:
    """What came from GitHub, repository by repository, and what it cost."""
    unfinished = [one for one in summary.repositories if one.status != "completed"]
    metadata: Metadata = {
        "pull requests": summary.pull_requests,
        "fetched by this run": summary.fetched,
        "GitHub requests": summary.requests,
        "GitHub points": summary.points,
        "waited for GitHub (s)": round(summary.waited_seconds, 1),
        "repositories complete": len(summary.repositories) - len(unfinished),
        "repositories": table(_repository_row(one) for one in summary.repositories),
        "progress page": dg.MetadataValue.url(links.progress_page(pipeline.settings, partition.team_id)),
    }
    if on_github := _github_links(pipeline, partition, summary):
        metadata["on GitHub"] = dg.MetadataValue.md(on_github)
    failures = {"not complete": table(_failure_row(one, partition.team_id) for one in unfinished)} if unfinished else {}
    where = f"{partition.team_id} {partition.month:%Y-%m}"
    check = dg.AssetCheckResult(
        passed=not unfinished,
        check_name=REPOSITORIES_COMPLETE.name,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{where}: {_says_unfinished(unfinished, len(summary.repositories))}",
        metadata=failures,
    )
    return dg.MaterializeResult(metadata={**failures, **metadata}, check_results=[check])


def _repository_row(one: RepositoryMonth) -> dict[str, str | int]:
    return {
        "repository": one.repository,
        "status": one.status,
        "expected": -1 if one.expected is None else one.expected,
        "stored": one.stored or 0,
    }


def _failure_row(one: RepositoryMonth, team_id: str) -> dict[str, str | int]:
    return {
        "repository": one.repository,
        "status": one.status,
        "cause": one.error or "",
        "what to do": (one.remedy or "").replace("TEAM", team_id),
    }


def _says_unfinished(unfinished: Sequence[RepositoryMonth], total: int) -> str:
    if not unfinished:
        return f"All {total} repositories are complete."
    names = ", ".join(one.repository for one in unfinished)
    return f"{len(unfinished)} of {total} repositories are not complete: {names}. They are tried again by themselves."


def _github_links(pipeline: Pipeline, partition: TeamMonth, summary: MonthIngestion) -> str:
    return "\n".join(
        f"- [{one.repository}]({address})"
        for one in summary.repositories
        if (address := links.pull_requests_of_month(pipeline.settings, one.repository, partition.month))
    )


def tagged(pipeline: Pipeline, partition: TeamMonth, summary: TaggingSummary) -> Result:
    """How many pull requests show AI use, by tool and by role."""
    metadata: Metadata = {
        "pull requests": summary.pull_requests,
        "with author evidence": summary.with_author_evidence,
        "automation": summary.automation,
        "rows of evidence": summary.evidence_rows,
        "tools": table(
            {"tool": tool, "pull requests": count, "share of all": percent(count, summary.pull_requests)}
            for tool, count in summary.by_tool.items()
        ),
        "trends page": dg.MetadataValue.url(links.team_page(pipeline.settings, partition.team_id)),
    }
    if summary.pull_requests:
        metadata["share with author evidence"] = summary.with_author_evidence / summary.pull_requests
    metadata |= {f"role: {role}": count for role, count in summary.by_role.items()}
    metadata |= {f"tool: {tool}": count for tool, count in [*summary.by_tool.items()][:MOST_TOOLS_PLOTTED]}
    return dg.MaterializeResult(metadata=metadata)


def classified(pipeline: Pipeline, partition: TeamMonth, summary: ClassificationSummary) -> Result:
    """Where the month stands with the LLM, what it cost, and whether the ledger adds up."""
    metadata: Metadata = {
        "pull requests": summary.pull_requests,
        "classified": summary.classified,
        "pending": summary.pending,
        "unclassified": summary.unclassified,
        "batches": summary.batches_total,
        "batches done": summary.batches_done,
        "lines sent by this run": summary.requests_sent,
        "input tokens": summary.input_tokens,
        "output tokens": summary.output_tokens,
        "cost so far (USD)": summary.cost_usd,
    }
    if summary.pull_requests:
        metadata["classified share"] = summary.classified / summary.pull_requests
    if summary.waiting_reason:
        metadata["why the rest waits"] = summary.waiting_reason
    if summary.unpriced_models:
        metadata["models without a price"] = ", ".join(summary.unpriced_models)
    if summary.mended:
        metadata["answers mended"] = table({"rule": rule, "answers": n} for rule, n in summary.mended.items())
    checks = [_ledger_check(pipeline, partition), _evidence_check(pipeline, partition)]
    return dg.MaterializeResult(metadata=metadata, check_results=checks)


def _ledger_check(pipeline: Pipeline, partition: TeamMonth) -> dg.AssetCheckResult:
    from historical_sync.warehouse import llm_ledger

    with pipeline.warehouse.transaction() as tx:
        balance = llm_ledger.balance(tx, partition.team_id)
    return dg.AssetCheckResult(
        passed=balance.is_balanced,
        check_name=LEDGER_BALANCED.name,
        severity=dg.AssetCheckSeverity.ERROR,
        description=(
            f"{balance.sent} lines sent = {balance.classified} classified + {balance.unclassified} unclassified + "
            f"{balance.requeued} sent again; {balance.in_flight} more are in flight."
        ),
        metadata={
            "sent": balance.sent,
            "classified": balance.classified,
            "unclassified": balance.unclassified,
            "sent again": balance.requeued,
            "in flight": balance.in_flight,
            "batches that do not add up": ", ".join(balance.unbalanced) or "none",
        },
    )


def _evidence_check(pipeline: Pipeline, partition: TeamMonth) -> dg.AssetCheckResult:
    from historical_sync.warehouse import classifications

    with pipeline.warehouse.transaction() as tx:
        found = classifications.disagreements(tx, partition.team_id, partition.month)
    return dg.AssetCheckResult(
        passed=not found,
        check_name=EVIDENCE_AGREES.name,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(found)} pull requests to look at: the evidence stands, the verdict does not.",
        metadata={
            "disagreements": table(
                {
                    "repository": row["repository"],
                    "number": row["number"],
                    "tool": row["tool"],
                    "quote": row["quote"],
                    "confidence": row["confidence"],
                }
                for row in found
            )
        },
    )


def published(pipeline: Pipeline, partition: TeamMonth, summary: TrendSummary) -> Result:
    """The month's main numbers, to plot over the partitions and to read."""
    headline = {metric: (value, unit, n) for metric, value, unit, n in summary.headline}
    metadata: Metadata = {
        "values": summary.values,
        "months of the team": summary.months,
        "last thirteen months": dg.MetadataValue.md(summary.markdown),
        "is complete": dg.MetadataValue.bool(summary.is_complete),
        "main numbers": table(
            {"metric": metric, "value": readable(value, unit), "unit": unit, "n": n}
            for metric, (value, unit, n) in headline.items()
        ),
        "trends page": dg.MetadataValue.url(links.team_page(pipeline.settings, partition.team_id)),
    }
    metadata |= {metric: round(float(value), 3) for metric, (value, _, _) in headline.items() if value is not None}
    return dg.MaterializeResult(metadata=metadata)


def table(rows: Iterable[Mapping[str, str | int | float]]) -> dg.TableMetadataValue | str:
    """A table of plain rows; the word "none" where there is no row."""
    records = [dg.TableRecord(dict(row)) for row in rows]
    return dg.MetadataValue.table(records) if records else "none"


def percent(part: int, whole: int) -> str:
    """A share as text; a dash of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def readable(value: float | None, unit: str) -> str:
    """A metric's value as a person reads it."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{value:,.1f}" if value % 1 else f"{value:,.0f}"
