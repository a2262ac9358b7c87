"""The registry: which teams there are and which repositories each of them tracks. A row is an onboarding.

A row inserted by plain SQL counts as much as one from `add_team`; what only a command can check (the shape of a name,
the form of a token reference) the tables check too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from historical_sync.errors import ConfigurationError
from historical_sync.records import Team, TrackedRepository, columns_of
from historical_sync.warehouse.postgres import Transaction

TEAM_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
TOKEN_REF = re.compile(r"(env|file|app):.+")
MOST_HISTORY_MONTHS = 240

TEAM_COLUMNS = ", ".join(columns_of(Team))
REPOSITORY_COLUMNS = ", ".join(columns_of(TrackedRepository))


def add_team(
    tx: Transaction,
    team_id: str,
    repositories: Sequence[str],
    *,
    history_months: int | None = None,
    display_name: str | None = None,
    token_ref: str | None = None,
) -> Team:
    """Register a team, or add to it: repositories that it lacks are added, given values replace the stored ones.

    A team that was removed before comes back with the next generation, so that nothing of its first life is taken for
    its second. Raises ConfigurationError for a name, a number or a token reference that is not well formed, and for a
    team that is being removed.
    """
    _require_well_formed(team_id, repositories, history_months, token_ref)
    tx.lock("team", team_id)
    present = tx.row("select status from teams where team_id = %s", [team_id])
    if present is None and not repositories:
        raise ConfigurationError(f"Team {team_id!r} needs at least one repository.", remedy="Give --repo owner/name.")
    if present is not None and present["status"] == "offboarding":
        raise ConfigurationError(
            f"Team {team_id!r} is being removed.",
            remedy=f"Run `historical-sync team remove {team_id}` to its end first.",
        )
    tx.execute(
        """
        insert into teams as old (team_id, history_months, display_name, github_token_ref)
        values (%(team_id)s, coalesce(%(history_months)s, 12), %(display_name)s, %(token_ref)s)
        on conflict (team_id) do update set
            history_months = coalesce(%(history_months)s, old.history_months),
            display_name = coalesce(excluded.display_name, old.display_name),
            github_token_ref = coalesce(excluded.github_token_ref, old.github_token_ref)
        """,
        {
            "team_id": team_id,
            "history_months": history_months,
            "display_name": display_name,
            "token_ref": token_ref,
        },
    )
    tx.execute_values(
        "insert into tracked_repositories (team_id, repository) values %s on conflict do nothing",
        [(team_id, repository) for repository in repositories],
    )
    return read_team(tx, team_id)


def remove_repository(tx: Transaction, team_id: str, repository: str) -> bool:
    """Stop tracking a repository and delete its rows; False when the team does not track it."""
    gone = tx.execute(
        "delete from tracked_repositories where team_id = %s and lower(repository) = lower(%s)", [team_id, repository]
    )
    return gone > 0


def read_team(tx: Transaction, team_id: str) -> Team:
    """The team. Raises ConfigurationError when there is none of this name."""
    row = tx.row(f"select {TEAM_COLUMNS} from teams where team_id = %s", [team_id])
    if row is None:
        raise ConfigurationError(
            f"There is no team {team_id!r}.", remedy="`historical-sync team list` shows the registered teams."
        )
    return Team(**row)


def list_teams(tx: Transaction) -> list[Team]:
    """Every team, by name."""
    return [Team(**row) for row in tx.rows(f"select {TEAM_COLUMNS} from teams order by team_id")]


def tracked_repositories(tx: Transaction, team_id: str) -> list[TrackedRepository]:
    """The team's repositories: those with the most recent pull requests first, unknown ones last, then by name."""
    rows = tx.rows(
        f"""
        select {REPOSITORY_COLUMNS} from tracked_repositories where team_id = %s
        order by recent_prs desc nulls last, repository
        """,
        [team_id],
    )
    return [TrackedRepository(**row) for row in rows]


def set_status(tx: Transaction, team_id: str, status: str) -> Team:
    """Set a team `active`, `paused` or `offboarding`. A team that is being removed cannot be made active again."""
    team = read_team(tx, team_id)
    if team.status == "offboarding" and status != "offboarding":
        raise ConfigurationError(f"Team {team_id!r} is being removed.", remedy="Add it again once it is gone.")
    tx.execute("update teams set status = %s where team_id = %s", [status, team_id])
    return read_team(tx, team_id)


def remove_team(tx: Transaction, team_id: str) -> dict[str, int]:
    """Delete every row of a team. Returns how many rows each of our tables with a team held, all now gone.

    Its generation stays behind in `former_teams`, so that the next team of this name is known to be another one.
    Removing a team that is not there returns an empty count.
    """
    if tx.value("select 1 from teams where team_id = %s for update", [team_id]) is None:
        return {}
    before = rows_of_team(tx, team_id)
    tx.execute("delete from teams where team_id = %s", [team_id])
    for table in tables_with_team(tx):
        tx.execute(f"delete from {table} where team_id = %s", [team_id])
    return {table: count for table, count in before.items() if count}


def rows_of_team(tx: Transaction, team_id: str) -> dict[str, int]:
    """How many rows each table with a team holds of this one: the proof that a removal left nothing."""
    return {
        table: tx.value(f"select count(*) from {table} where team_id = %s", [team_id]) for table in tables_with_team(tx)
    }


def tables_with_team(tx: Transaction) -> list[str]:
    """Our tables that have a column `team_id`, but for the list of former teams' generations."""
    rows = tx.rows(
        """
        select c.table_name from information_schema.columns c
        join information_schema.tables t using (table_schema, table_name)
        where c.table_schema = 'historical_sync' and c.column_name = 'team_id' and t.table_type = 'BASE TABLE'
            and c.table_name <> 'former_teams'
        order by 1
        """
    )
    return [row["table_name"] for row in rows]


def _require_well_formed(
    team_id: str, repositories: Sequence[str], history_months: int | None, token_ref: str | None
) -> None:
    if not TEAM_ID.fullmatch(team_id):
        raise ConfigurationError(
            f"{team_id!r} is no team name.",
            remedy="It takes 1 to 40 lower-case letters, digits, - and _, the first a letter or a digit.",
        )
    for repository in repositories:
        if not REPOSITORY.fullmatch(repository):
            raise ConfigurationError(f"{repository!r} is no repository.", remedy="Give it as owner/name.")
    if history_months is not None and not 0 <= history_months <= MOST_HISTORY_MONTHS:
        raise ConfigurationError(f"A history has from 0 to {MOST_HISTORY_MONTHS} months, not {history_months}.")
    if token_ref is not None and not TOKEN_REF.fullmatch(token_ref):
        # The text itself is not repeated: somebody may have given the token instead of a reference to it.
        raise ConfigurationError(
            "That is no token reference.",
            remedy="Give env:NAME, file:/path or app:APP_ID:INSTALLATION_ID:KEYREF, never the token.",
        )
