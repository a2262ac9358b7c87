"""Checks over whole tables: what must hold of every team's numbers. Run by a schedule, not by every run.

What concerns one run's own (team, month) is checked in its steps (`descriptions`, `reports`); these look at all of it.
"""

import dagster as dg

from historical_sync.orchestration.reports import table
from historical_sync.orchestration.resources import PipelineResource
from historical_sync.warehouse import trend_checks
from historical_sync.warehouse.trend_checks import CHECKS, Check

MOST_SHOWN = 100


def check_of(check: Check) -> dg.AssetChecksDefinition:
    """A check of the trends as one of Dagster's: no finding, and it passes."""

    @dg.asset_check(
        name=check.name,
        asset="monthly_trends",
        description=f"{check.description} Looks at every team and month.",
    )
    def look(pipeline: PipelineResource) -> dg.AssetCheckResult:
        with pipeline.warehouse.transaction() as tx:
            found = trend_checks.findings(tx, check, limit=MOST_SHOWN)
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN if check.is_warning else dg.AssetCheckSeverity.ERROR,
            description=f"{len(found)} findings" + (" or more" if len(found) == MOST_SHOWN else ""),
            metadata={
                "findings": table(
                    {"team": one.team_id, "month": f"{one.month:%Y-%m}", "finding": one.message} for one in found
                )
            },
        )

    return look


CHECKS_OF_TRENDS = [check_of(one) for one in CHECKS]
