"""What happened since the last time: a look down each index to its watermark, and weekly a search for deletions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from historical_sync.errors import GitHubError
from historical_sync.github.client import GitHubClient
from historical_sync.github.deletions import is_full_walk_due, remove_deleted
from historical_sync.github.walk import Walker
from historical_sync.records import Team
from historical_sync.warehouse import index
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import tracked_repositories
from historical_sync.window import first_of_month, months_wanted


def refresh_team(
    warehouse: Warehouse,
    client: GitHubClient,
    team: Team,
    *,
    now: datetime,
    on_event: Callable[[str], None] | None = None,
) -> frozenset[date]:
    """Walk each known repository's index down to its watermark; returns the wanted months that are to be run again.

    Those are the months in which something is newer than its row, or was deleted. A repository that cannot be read adds
    the newest month, whose run then says why. Raises WarehouseError only.
    """
    walker = Walker(warehouse, client, team.team_id)
    with warehouse.transaction() as tx:
        known = [
            one for one in tracked_repositories(tx, team.team_id) if index.is_walked(tx, team.team_id, one.repository)
        ]
    changed: set[date] = set()
    with client.at_work(on_event):
        outcomes = walker.look(known)
        for repository in known:
            outcome: object = outcomes[repository.repository]
            try:
                if not isinstance(outcome, GitHubError) and is_full_walk_due(walker, repository, now):
                    changed |= {month for _, month in remove_deleted(walker, repository)}
            except GitHubError as error:
                outcome = error
            if isinstance(outcome, GitHubError):
                client.tell(f"{repository.repository}: {outcome}")
                changed.add(first_of_month(now))
    wanted = months_wanted(now, team.history_months)
    with warehouse.transaction() as tx:
        changed |= index.months_behind(tx, team.team_id, since=min(wanted))
    return frozenset(changed & set(wanted))
