"""The first question about a team: how many pull requests each repository saw lately. Orders and estimates, no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from dateutil.relativedelta import relativedelta

from historical_sync.errors import GitHubError, RateLimited, TokenRefused
from historical_sync.github import queries
from historical_sync.github.client import GitHubClient, is_heavy
from historical_sync.github.paging import PageSize
from historical_sync.github.readers import read_survey

SURVEY_MONTHS = 6
SURVEY_REPOSITORIES = 50
"""50 aliases in one query have worked at GitHub, 100 have not."""


def survey(client: GitHubClient, repositories: Sequence[str], now: datetime) -> dict[str, int | None]:
    """Pull requests opened in each repository in the last six months; None where search cannot tell.

    Search is soft, so once it fails it is told and left: the walk finds out. Raises RateLimited or TokenRefused only.
    """
    since = (now - relativedelta(months=SURVEY_MONTHS)).date()
    size = PageSize(1, most=SURVEY_REPOSITORIES)
    found: dict[str, int | None] = {}
    waiting = list(repositories)
    while waiting:
        batch = waiting[: size.size]
        searches = {f"search{i}": f"repo:{name} is:pr created:>={since}" for i, name in enumerate(batch)}
        try:
            counts = client.ask(
                queries.survey(len(batch)),
                searches,
                partial(read_survey, count=len(batch)),
                is_shrinkable=True,
            )
        except (RateLimited, TokenRefused):
            raise
        except GitHubError as error:
            if is_heavy(error) and len(batch) > 1:
                size.shrink(len(batch))
                continue
            client.tell(f"How busy the repositories are is not known: {error}")
            return found | dict.fromkeys(waiting)
        found |= dict(zip(batch, counts, strict=True))
        waiting = waiting[len(batch) :]
    return found
