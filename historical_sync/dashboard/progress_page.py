"""What the progress page says: words, numbers and chips made of a team's progress. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from historical_sync.dashboard.formatting import clock, counted, money, month_name, month_short, thousands, time_left
from historical_sync.progress import MonthProgress, RepositoryProgress, TeamProgress

HEADLINES = {
    "waiting": "Your history is about to load",
    "loading": "Loading your history",
    "complete": "Your history is complete",
    "incomplete": "Your history is loaded, with gaps",
    "paused": "Loading is paused",
    "empty": "No repositories yet",
}

STATE_WORDS = {"pending": "Waiting", "syncing": "Loading", "completed": "Complete", "failed": "Needs attention"}

NO_OTHER_REMEDY = "Retry it; if it fails again, the run's log in Dagster says more."
"""For an error that does not say itself what a person can do."""


@dataclass(frozen=True, slots=True)
class Level:
    """One of the three levels: `done` of `total`, and a line about it."""

    key: str
    title: str
    done: str
    total: str
    share: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A month in the strip, oldest first. `state` is complete, loading, missing or pending."""

    label: str
    short: str
    state: str
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """A repository in the table."""

    name: str
    address: str | None
    state: str
    word: str
    percent: int
    pull_requests: str
    months: str
    error: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True)
class ProgressPage:
    """Everything the template of the live part shows."""

    state: str
    headline: str
    lead: str
    percent: int
    time_left: str
    wait: str | None
    stalled: str | None
    levels: tuple[Level, ...]
    months: tuple[Cell, ...]
    months_text: str
    repositories: tuple[RepositoryRow, ...]
    is_settled: bool
    retry_command: str | None
    llm_note: str | None


def progress_page(progress: TeamProgress, *, web_address: str | None) -> ProgressPage:
    """The page of a team. `web_address` is where GitHub's own pages are (None: repositories are not linked)."""
    needs_retry = any(one.months_missing or one.sync_status == "failed" for one in progress.repositories)
    return ProgressPage(
        state=progress.state,
        headline=HEADLINES[progress.state],
        lead=_lead(progress),
        percent=progress.percent,
        time_left=time_left(progress.eta_seconds) if progress.state == "loading" else "",
        wait=_wait(progress, progress.read_at),
        stalled=f"No news since {clock(since, progress.read_at)}" if (since := progress.stalled_since) else None,
        levels=(_repository_level(progress), _pull_request_level(progress), _llm_level(progress)),
        months=tuple(_cell(month) for month in reversed(progress.months)),
        months_text=f"{progress.months_complete} of {counted(progress.months_total, 'month')}",
        repositories=tuple(_row(one, web_address, progress.team_id) for one in progress.repositories),
        is_settled=progress.is_settled,
        retry_command=f"historical-sync retry {progress.team_id}" if needs_retry else None,
        llm_note=progress.llm.error,
    )


def _lead(progress: TeamProgress) -> str:
    newest = month_name(progress.months[0].month) if progress.months else ""
    oldest = month_name(progress.months[-1].month) if progress.months else ""
    if progress.state == "complete":
        return (
            f"Every pull request from {oldest} to now is here:"
            f" {thousands(progress.prs_completed)} in {counted(progress.months_total, 'month')}."
        )
    if progress.state == "incomplete":
        whole = sum(one.months_complete == one.months_total for one in progress.repositories)
        return (
            f"{whole} of {counted(len(progress.repositories), 'repository', 'repositories')}"
            f" {'is' if whole == 1 else 'are'} complete. What is missing, and what to do, stands below."
        )
    if progress.state == "paused":
        return f"Nothing new is fetched until somebody resumes the team. {_months_here(progress)}"
    if progress.state == "empty":
        return "Add one with `historical-sync team add`; loading starts by itself."
    if progress.state == "waiting":
        return f"{newest} comes first, then month by month back to {oldest}. This page follows along."
    return f"{_months_here(progress)} Newest first, back to {oldest}; it is safe to close this page."


def _months_here(progress: TeamProgress) -> str:
    here = sum(month.complete > 0 for month in progress.months)
    missing = sum(bool(one.months_missing) for one in progress.repositories)
    without = f", without {counted(missing, 'repository', 'repositories')}" if missing else ""
    is_one = 1 in (here, progress.months_total)
    return f"{here} of {counted(progress.months_total, 'month')} {'is' if is_one else 'are'} here{without}."


def _wait(progress: TeamProgress, now: datetime) -> str | None:
    if progress.wait is None or progress.is_complete:
        return None
    return f"Waiting for GitHub until {clock(progress.wait.resume_at, now)}"


def _repository_level(progress: TeamProgress) -> Level:
    done = sum(one.sync_status == "completed" for one in progress.repositories)
    failed = sum(one.sync_status == "failed" for one in progress.repositories)
    total = len(progress.repositories)
    note = f"{failed} need{'s' if failed == 1 else ''} attention" if failed else "have all their months"
    return Level("repositories", "Repositories", str(done), str(total), done / total if total else None, note)


def _pull_request_level(progress: TeamProgress) -> Level:
    done, total = progress.prs_completed, max(progress.prs_expected, progress.prs_completed)
    about = "" if progress.is_total_known or not total else "about "
    share = min(done / total, 1.0) if total else (1.0 if progress.is_complete else None)
    note = "the rest is an estimate" if about else "with commits, reviews and files"
    if not total and not progress.is_complete:
        return Level("pull-requests", "Pull requests", thousands(done), "?", share, "counting")
    return Level("pull-requests", "Pull requests", thousands(done), f"{about}{thousands(total)}", share, note)


def _llm_level(progress: TeamProgress) -> Level:
    llm = progress.llm
    parts = [f"{thousands(llm.classified)} classified"] if llm.classified else []
    parts += [f"{thousands(llm.pending)} pending"] if llm.pending else []
    parts += [f"{thousands(llm.unclassified)} unclassified"] if llm.unclassified else []
    parts += [money(llm.cost_usd)] if llm.cost_usd else []
    if not llm.batches_total:
        return Level("llm", "LLM batches", "None yet", "", None, "they start when pull requests are here")
    share = llm.batches_done / llm.batches_total
    note = " · ".join(parts) or "nothing classified yet"
    return Level("llm", "LLM batches", str(llm.batches_done), str(llm.batches_total), share, note)


def _cell(month: MonthProgress) -> Cell:
    state, share = "pending", 0.0
    text = "not loaded yet"
    if month.is_complete:
        state, share, text = "complete", 1.0, f"complete, {counted(month.stored, 'pull request')}"
    elif month.missing:
        state, share = "missing", month.complete / month.repositories
        text = f"{counted(month.missing, 'repository', 'repositories')} of {month.repositories} missing or partial"
    elif month.stored or month.expected or month.complete:
        state = "loading"
        share = min(month.stored / month.expected, 1.0) if month.expected else month.complete / month.repositories
        text = f"loading, {thousands(month.stored)} of {counted(month.expected, 'pull request')}"
    return Cell(month_name(month.month), month_short(month.month), state, text, share)


def _row(one: RepositoryProgress, web_address: str | None, team_id: str) -> RepositoryRow:
    total = one.expected_prs
    about = "" if one.months_indexed >= one.months_total else "~"
    return RepositoryRow(
        name=one.repository,
        address=f"{web_address}/{one.repository}" if web_address else None,
        state=one.sync_status,
        word=STATE_WORDS[one.sync_status],
        percent=100 if one.sync_status == "completed" else min(one.sync_progress, 99),
        pull_requests=f"{thousands(one.sync_prs_completed)} of {about}{thousands(total)}" if total else "–",
        months=f"{one.months_complete} of {one.months_total}",
        error=one.sync_error,
        remedy=(one.sync_remedy or NO_OTHER_REMEDY).replace("TEAM", team_id) if one.sync_error else None,
    )
