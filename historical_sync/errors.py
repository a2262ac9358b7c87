"""Every error this project raises on purpose, and whether waiting helps.

    HistoricalSyncError
    ├── ConfigurationError          a setting, a command's argument or the machine; the message says how to mend it
    │   ├── SchemaOutdated          the database needs `historical-sync migrate`
    │   └── OutsideWindow           a month that the team's history does not cover
    ├── GitHubError                 what GitHub answered, or did not
    │   ├── RateLimited             primary or secondary limit; `resume_at` says when to go on
    │   ├── ServerFailure           5xx, time-out, reset, HTML or cut-off JSON: the same request may work later
    │   ├── ResourceLimitsExceeded  the page was too heavy: ask for less
    │   ├── CursorRefused           the walk must start again from the top
    │   ├── TokenRefused            401, or a token that cannot be resolved; names the reference, never the token
    │   ├── RepositoryUnavailable   not found, no access, SAML
    │   └── QueryRefused            GitHub calls the query itself invalid: ours to mend
    ├── AllRepositoriesFailed       a month in which no repository could be read
    ├── ClassificationError         what Groq answered, or did not
    │   ├── GroqUnavailable         outage, time-out, 5xx, 429: queued and tried again
    │   ├── GroqRefused             key, plan or model: stays queued until somebody mends it
    │   └── BudgetExhausted         the cap of HISTORICAL_SYNC_LLM_BUDGET_USD is reached
    ├── TeamStopped                 the team was paused or removed while a run worked for it
    └── WarehouseError              the database, other than its schema

`is_retryable` answers "is it worth trying the same thing again later without anybody doing anything?".
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime


class HistoricalSyncError(Exception):
    """Root of the tree. `remedy` is one sentence that says what a person can do about it."""

    is_retryable = False
    remedy = ""

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        if remedy is not None:
            self.remedy = remedy


class ConfigurationError(HistoricalSyncError):
    """A setting, an argument or the machine is not as it must be."""


class SchemaOutdated(ConfigurationError):
    """The database's schema is older (or newer) than this program."""

    remedy = "Run `historical-sync migrate`; if the schema is the newer one, install the newer program."


class OutsideWindow(ConfigurationError):
    """A month that the team's history does not cover."""

    remedy = "Raise the team's history_months, then ask again."


class GitHubError(HistoricalSyncError):
    """What GitHub answered, or did not."""


class RateLimited(GitHubError):
    """Primary or secondary limit.

    `resume_at` (UTC) is when GitHub says that work may go on; None when it did not say.
    """

    is_retryable = True

    def __init__(self, message: str, *, resume_at: datetime | None = None, is_secondary: bool = False) -> None:
        super().__init__(message, remedy="Nothing to do: the work goes on by itself when the limit resets.")
        self.resume_at = resume_at
        self.is_secondary = is_secondary


class ServerFailure(GitHubError):
    """GitHub did not answer properly: 5xx, time-out, reset, an HTML page, JSON that ends too early."""

    is_retryable = True

    def __init__(
        self, message: str, *, status: int | None = None, is_timeout: bool = False, is_unreachable: bool = False
    ) -> None:
        cause = "Check GITHUB_API_URL and this machine's network" if is_unreachable else "GitHub had a problem"
        super().__init__(message, remedy=f"{cause}; the next run tries again.")
        self.status = status
        self.is_timeout = is_timeout


class ResourceLimitsExceeded(GitHubError):
    """The query asked for more than GitHub computes in one go; a smaller page may pass."""

    is_retryable = True


class CursorRefused(GitHubError):
    """GitHub no longer knows the cursor: the walk starts again and keeps its frontier."""

    is_retryable = True


class TokenRefused(GitHubError):
    """A token that is revoked, expired or cannot be resolved. Carries the reference, never the token."""

    remedy = "Renew the token behind this reference, then run `historical-sync retry TEAM`."

    def __init__(self, message: str, *, token_ref: str) -> None:
        super().__init__(message)
        self.token_ref = token_ref


class RepositoryUnavailable(GitHubError):
    """A repository that cannot be read: not found, no access, SAML. `reason` is one of those words."""

    def __init__(self, message: str, *, repository: str, reason: str, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.repository = repository
        self.reason = reason


class QueryRefused(GitHubError):
    """GitHub calls the query itself invalid, which only a new version of this program can mend."""


class AllRepositoriesFailed(HistoricalSyncError):
    """Not one repository of the team could be read for this month. `failures` maps repository to its error.

    `remedies` are theirs: where all have the same one, it is this error's too.
    """

    is_retryable = True

    def __init__(self, message: str, *, failures: dict[str, str], remedies: Collection[str]) -> None:
        is_one = len(set(remedies)) == 1
        super().__init__(message, remedy=next(iter(remedies)) if is_one else "See the error beside each repository.")
        self.failures = failures


class ClassificationError(HistoricalSyncError):
    """What Groq answered, or did not."""


class GroqUnavailable(ClassificationError):
    """Outage, time-out, 5xx, 429. `retry_after_seconds` is Groq's own word, where it gave one.

    `may_have_arrived` is set where Groq may have done, and billed, what it did not answer; `status` is that of its
    answer, where there was one.
    """

    is_retryable = True

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float | None = None,
        is_timeout: bool = False,
        may_have_arrived: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(message, remedy="Nothing to do: the work is queued and tried again.")
        self.retry_after_seconds = retry_after_seconds
        self.is_timeout = is_timeout
        self.may_have_arrived = may_have_arrived
        self.status = status

    @property
    def is_failure(self) -> bool:
        """Whether Groq's own server failed, which leaves open what it did before."""
        return self.status is not None and self.status >= 500


class GroqRefused(ClassificationError):
    """Key, plan or model. `code` is Groq's own (`invalid_api_key`, `not_available_for_plan`, `model_not_found`, …)."""

    def __init__(self, message: str, *, code: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class BudgetExhausted(ClassificationError):
    """The team's cap for this calendar month is reached; the work stays queued."""

    remedy = "Raise HISTORICAL_SYNC_LLM_BUDGET_USD, or wait for the next calendar month."


class TeamStopped(HistoricalSyncError):
    """The team was paused or removed while a run worked for it. Not a failure: what was committed stays."""

    remedy = "Run `historical-sync team resume TEAM` to go on."


class WarehouseError(HistoricalSyncError):
    """The database cannot be reached or does not obey."""
