"""The partitions: team × month, and the one place that translates their keys."""

from __future__ import annotations

from datetime import date

import dagster as dg

from historical_sync.errors import ConfigurationError
from historical_sync.records import TeamMonth
from historical_sync.settings import Settings

TEAMS = "teams"
"""The name of the dynamic partitions: one key a team."""

TEAM_TAG = "dagster/partition/team"
MONTH_TAG = "dagster/partition/month"
PARTITION_TAG = "dagster/partition"

FIRST_MONTH = Settings.from_environment().first_month
"""SYNC_FIRST_MONTH as this process found it: partitions are part of the definitions."""

team_partitions = dg.DynamicPartitionsDefinition(name=TEAMS)
month_partitions = dg.MonthlyPartitionsDefinition(start_date=f"{FIRST_MONTH:%Y-%m-%d}", end_offset=1)
"""Every month from the first one to the open one, which `end_offset` includes."""

team_month_partitions = dg.MultiPartitionsDefinition({"team": team_partitions, "month": month_partitions})


def key_of(team_id: str, month: date) -> str:
    """The partition's key. Dagster joins the dimensions in the order of their names: month, then team."""
    return f"{month:%Y-%m-%d}{key_ending(team_id)}"


def key_ending(team_id: str) -> str:
    """How the keys of a team's partitions end, and of no other team's."""
    return f"|{team_id}"


def read_key(key: str) -> TeamMonth:
    """The team and month of a partition's key. Raises ConfigurationError for anything else."""
    month, separator, team_id = key.partition("|")
    try:
        if not separator or not team_id:
            raise ValueError
        return TeamMonth(team_id, date.fromisoformat(month))
    except ValueError as error:
        raise ConfigurationError(f"{key!r} is no partition; one looks like 2025-03-01|acme.") from error
