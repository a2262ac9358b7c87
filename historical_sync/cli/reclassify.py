"""`historical-sync reclassify`: buy answers again with the present prompt and model, after showing what they cost."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from historical_sync.classification.groq_client import connect
from historical_sync.classification.ledger import collect, waiting_reason
from historical_sync.classification.pricing import no_price
from historical_sync.classification.reclassification import Plan, plan, queue_plan, release_models
from historical_sync.cli.errors import reports_errors
from historical_sync.cli.opening import open_warehouse
from historical_sync.settings import Settings
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import read_team


@click.command()
@click.argument("team")
@click.option(
    "--month", "months", multiple=True, metavar="YYYY-MM", help="Only this month; may be given several times."
)
@click.option("--dry-run", is_flag=True, help="Show what it would take, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@reports_errors
def reclassify(team: str, months: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Classify TEAM's pull requests again whose answer is of another prompt or model, or that have none.

    A new prompt or model buys nothing by itself: this command does, after it has shown tokens and dollars and has
    asked. It also takes up what ended as unclassified, and models that Groq had refused. Answers stand until the new
    ones come; `historical-sync status TEAM --watch` shows them coming in.

    \b
    historical-sync reclassify acme --dry-run         what it would cost
    historical-sync reclassify acme --month 2025-03   one month
    """
    wanted = [_month(text) for text in months]
    with open_warehouse() as (settings, warehouse):
        with warehouse.transaction() as tx:
            read_team(tx, team)
        planned = plan(warehouse, settings, team, wanted)
        _show(planned)
        if dry_run:
            return
        if not planned.pull_requests:
            release_models(warehouse)
            return
        if not yes:
            click.confirm("Send them?", abort=True)
        _carry_out(warehouse, settings, planned)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no month; write it as 2025-03.") from error


def _show(planned: Plan) -> None:
    if not planned.pull_requests:
        click.echo(f"Every answer is of {planned.model} and prompt {planned.prompt_version}: nothing to ask again.")
        return
    cost = no_price(planned.model) if planned.cost_usd is None else f"about ${planned.cost_usd:.4f}, as batches"
    click.echo(
        f"{planned.pull_requests} pull requests with {planned.model} and prompt {planned.prompt_version}:\n"
        f"  at most about {planned.input_tokens:,} tokens in and {planned.output_tokens:,} out\n"
        f"  {cost}"
    )


def _carry_out(warehouse: Warehouse, settings: Settings, planned: Plan) -> None:
    now = datetime.now(UTC)
    queued = queue_plan(warehouse, planned, now=now)
    click.echo(f"{queued} pull requests are queued; their present answers stand until the new ones come.")
    collect(warehouse, connect(settings), settings, now=now, team_id=planned.team_id, on_event=click.echo)
    with warehouse.transaction() as tx:
        reason = waiting_reason(tx, planned.team_id, now=datetime.now(UTC))
    click.echo(f"Waiting: {reason}" if reason else "Answers are collected as they come (`historical-sync status`).")
