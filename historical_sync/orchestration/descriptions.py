"""What the Dagster UI says of the assets and their checks, whatever partition: texts, columns, owners, policies."""

from __future__ import annotations

import types
from datetime import date, datetime, timedelta
from typing import Any, Union, get_args, get_origin, get_type_hints

import dagster as dg

from historical_sync.ai_usage.signatures import RULESET_VERSION
from historical_sync.classification.prompt import prompt_version
from historical_sync.records import Commit, Evidence, PullRequest, columns_of

STATE_TAG = "historical_sync/state"
STAGE_TAG = "historical_sync/stage"
PROGRESS_TAG = "historical_sync/progress"
OWNERS = ["team:data-platform"]

FRESH = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=13), fail_window=timedelta(hours=26))
"""The refresh runs every six hours: two missed ones are worth a warning, four a failure."""

COLUMN_MEANINGS = {
    "team_id": "The team. Every table has it, and row-level security goes by it.",
    "repository": "owner/name as the team registered it.",
    "number": "The pull request's number in its repository; with team and repository, the key.",
    "node_id": "GitHub's global id, by which it is fetched.",
    "body": "As on GitHub, without NUL characters.",
    "author_login": "None when the account was deleted.",
    "author_type": "GitHub's type: User, Bot, Mannequin, …",
    "state": "OPEN, CLOSED or MERGED.",
    "first_commit_at": "The earliest authored time of its commits.",
    "ready_at": "When it last left draft; none if it never was one.",
    "is_partial": "Part of it could not be read; its month is then partial, and partial_reason says why.",
    "commit_count": "GitHub's own total, so a shorter list is known to be one.",
    "signature_id": "The row of signatures.py that hit.",
    "source": "Where: author, branch, title, body, commit message, author or trailer, reviewer.",
    "role": "author, reviewer, suggestion or automation.",
    "strength": "exact (published by the tool) or mention.",
    "quote": "The words that prove it, at most 200 characters.",
    "ruleset_version": "Digest of the signatures it was found by.",
    "value": "The metric's value in its unit.",
    "n": "How many pull requests the value rests on.",
    "is_enough": "n is at least five.",
    "is_complete": "Every repository of the team is complete for the month.",
    "segment": "`*` for all, or a tool, size, type, …",
    "month": "First day of the month (UTC).",
    "metric": "Its name; docs/metrics.md defines each.",
    "unit": "pull requests, authors, hours, lines, rounds, or share (0 to 1).",
    "computed_at": "When this row was computed.",
    "title": "As on GitHub.",
    "is_draft": "Whether it is a draft now.",
    "created_at": "When it was opened; with closed_at, what puts it into a month.",
    "updated_at": "When GitHub last saw it change.",
    "merged_at": "When it was merged; none if it was not.",
    "closed_at": "When it was closed; a merge is a close.",
    "merged_by": "Who merged it.",
    "additions": "Lines added.",
    "deletions": "Lines deleted.",
    "changed_files": "Files changed.",
    "head_ref": "The branch it comes from.",
    "base_ref": "The branch it goes to.",
    "labels": "Its labels.",
    "milestone": "Its milestone.",
    "assignees": "Who is assigned.",
    "closing_issues": "The issues that it closes.",
    "review_count": "How many reviews GitHub counts.",
    "file_count": "How many files GitHub counts.",
    "comment_count": "How many comments GitHub counts.",
    "partial_reason": "What could not be read, and why.",
    "is_automation": "Made by a dependency, release or formatting bot: left out of people's metrics.",
    "is_revert": "Whether it undoes an earlier pull request.",
    "is_hotfix": "Whether it calls itself a hotfix.",
    "fetched_at": "When it was last fetched.",
    "tool": "The AI tool.",
    "position": "Tells several hits of one signature in one source apart.",
    "status": "pending, classified or unclassified.",
    "model": "The LLM that answered.",
    "prompt_version": "Digest of the prompt it answered to.",
}


def columns(*names_and_types: tuple[str, str]) -> dg.TableSchema:
    """A table's columns as the UI lists them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, kind, description=COLUMN_MEANINGS.get(name), tags={}) for name, kind in names_and_types
        ]
    )


def columns_of_record(record: type, *leading: tuple[str, str]) -> dg.TableSchema:
    """The columns of a record's table: its fields are the columns, so this list cannot fall behind."""
    hints = get_type_hints(record)
    fields = [(name, kind) for name in columns_of(record) if (kind := sql_type(hints[name]))]
    return columns(*leading, *fields)


def sql_type(hint: Any) -> str | None:
    """How the column of a field of this type is declared; None for lists of records, which have tables of their own."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(one for one in get_args(hint) if one is not type(None))
        return sql_type(inner)
    if get_origin(hint) is list:
        return f"{sql_type(get_args(hint)[0])}[]"
    plain = {str: "text", int: "integer", float: "double precision", bool: "boolean", date: "date"}
    return "timestamptz" if hint is datetime else plain.get(hint)


TEAM = ("team_id", "text")
KEY = (TEAM, ("repository", "text"), ("number", "integer"))

RAW = """
Every pull request that was **created or closed in the month**, with its commits, reviews and files, from GitHub's
GraphQL API.

A month is complete when, for each repository, the count of GitHub's index equals the count of stored rows. A repository
that fails does not hold up the others: the run succeeds, the check `repositories_are_complete` warns and lists it, and
the onboarding sensor tries again after 1, 4, 16, 64 minutes, then every few hours, six times in all.

**Run it again** by materialising the partition: nothing that is here and unchanged is fetched twice. For one repository
only, give its name under `repositories` in the launchpad.
"""
RAW_METADATA = {
    "dagster/column_schema": columns_of_record(PullRequest, TEAM),
    "dagster/table_name": "historical_sync.pull_requests",
    "a month holds": "Every pull request created or closed in it (a merge is a close).",
    "columns of pull_request_commits": columns_of_record(Commit, *KEY),
}

TAGGED = """
Evidence of AI use **by signature**: commit trailers, accounts, branches and phrases that the tools leave behind, each
hit with the words that prove it.

The code version is the digest of the table of signatures, so when that table changes the partitions show as outdated.
Materialise this asset and `monthly_trends` for them: it makes no request to GitHub and none to the LLM.
"""
TAGGED_METADATA = {
    "dagster/column_schema": columns_of_record(Evidence, *KEY),
    "dagster/table_name": "historical_sync.ai_evidence",
    "ruleset": RULESET_VERSION,
}

CLASSIFIED = """
What an LLM (Groq, in batches) says of each pull request: was it AI-assisted and how, what kind of change it is, in
which technologies, with a summary.

**Nobody waits on it.** The step sends what is new and goes on; the sensor `collect_llm_batches` takes in what is
answered and rebuilds this partition and its trends. Each content is paid for once: materialising again sends nothing
that has an answer. Without a key or during an outage the work is queued, and the trends stand on signatures meanwhile.
"""
CLASSIFIED_METADATA = {"prompt": prompt_version(), "dagster/table_name": "historical_sync.llm_classifications"}

TRENDS = """
The month's metrics, each with the number of pull requests it rests on; then the directions of all of the team's
metrics, and the benchmarks of the month.

Dashboards read them through the views in schema `dashboard`. A month that lacks a repository says so in every value
(`is_complete`). Materialise it alone after a change of a metric's definition: it reads only our own tables.
"""
TRENDS_METADATA = {
    "dagster/column_schema": columns(
        TEAM,
        ("month", "date"),
        ("repository", "text"),
        ("metric", "text"),
        ("segment", "text"),
        ("value", "double precision"),
        ("n", "integer"),
        ("unit", "text"),
        ("is_enough", "boolean"),
        ("is_complete", "boolean"),
        ("computed_at", "timestamptz"),
    ),
    "dagster/table_name": "historical_sync.monthly_trends",
}

REPOSITORIES_COMPLETE = dg.AssetCheckSpec(
    "repositories_are_complete",
    asset="raw_pull_requests",
    description="Every repository is complete for the run's (team, month). Lists those that are not, and what to do.",
)
LEDGER_BALANCED = dg.AssetCheckSpec(
    "ledger_is_balanced",
    asset="llm_classified_pull_requests",
    description="Of the run's team: every line sent to the LLM is classified, unclassified, sent again, or in flight.",
)
EVIDENCE_AGREES = dg.AssetCheckSpec(
    "evidence_agrees",
    asset="llm_classified_pull_requests",
    description="No pull request of the month has exact author evidence and a confident verdict that it is not AI.",
)
