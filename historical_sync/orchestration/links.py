"""Addresses to look at: the team's pages, and the pull requests of a month on GitHub."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import quote, quote_plus

from historical_sync.settings import Settings
from historical_sync.window import month_bounds

LOCAL_PAGE = "http://127.0.0.1:3001"


def team_page(settings: Settings, team_id: str) -> str:
    """The team's trends."""
    return f"{(settings.public_url or settings.page_url or LOCAL_PAGE).rstrip('/')}/teams/{quote(team_id)}"


def progress_page(settings: Settings, team_id: str) -> str:
    """How far the team's history is."""
    return f"{team_page(settings, team_id)}/progress"


def pull_requests_of_month(settings: Settings, repository: str, month: date) -> str | None:
    """GitHub's own list of the pull requests created in the month; None where the API has no pages for people."""
    if settings.github_web_url is None:
        return None
    start, next_month = month_bounds(month)
    question = f"is:pr created:{start:%Y-%m-%d}..{next_month - timedelta(days=1):%Y-%m-%d}"
    return f"{settings.github_web_url}/{quote(repository)}/pulls?q={quote_plus(question)}"
