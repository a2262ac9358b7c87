"""What one pass over the ledger carries with it: database, Groq, settings, a clock, and the holds it respects.

Holds are how trouble is remembered: written down with a reason and an end, obeyed by every process, shown to people.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from historical_sync.classification.groq_client import GroqClient
from historical_sync.classification.groq_replies import MISSING_KEY, MODEL_GONE, PLAN_WITHOUT_BATCHES
from historical_sync.errors import BudgetExhausted, ClassificationError, GroqUnavailable
from historical_sync.settings import Settings
from historical_sync.warehouse import llm_holds
from historical_sync.warehouse.llm_holds import Hold
from historical_sync.warehouse.postgres import Warehouse

SERVICE = "service"
BATCHES = "batches"
CHAT = "chat"

OUTAGE_SECONDS = 5.0
REFUSAL_SECONDS = 60.0
PLAN_SECONDS = 86_400.0
"""A plan may be upgraded: batches are tried again after a day."""
MODEL_SECONDS = 3_600.0
"""A refused model is looked for in Groq's list after an hour, and hourly from then on: nothing is sent for that."""
MOST_REFUSALS_OF_A_MODEL = 3
"""A model that is listed and refused so often waits for a person."""
BUDGET_SECONDS = 300.0
MOST_SECONDS = 120.0
"""An outage is looked at again every two minutes at least: one request, and the work goes on soon after it ends."""


def silent(_: str) -> None:
    """Nobody listens."""


class Stopwatch:
    """The caller's clock, going on: `now` is the moment it was started at plus the time that really passed since."""

    def __init__(self, started_at: datetime) -> None:
        self._started_at = started_at
        self._mark = time.monotonic()

    @property
    def now(self) -> datetime:
        """The present."""
        return self._started_at + timedelta(seconds=time.monotonic() - self._mark)


@dataclass(frozen=True)
class Session:
    """One pass over the ledger. `report` is told what happens, between transactions; what it raises ends the pass."""

    warehouse: Warehouse
    groq: GroqClient
    settings: Settings
    watch: Stopwatch
    report: Callable[[str], None] = silent

    @property
    def now(self) -> datetime:
        """The present, by the caller's clock."""
        return self.watch.now

    def model(self, attempt: int) -> str:
        """The model of a first or a second attempt."""
        return self.settings.groq_model if attempt <= 1 else self.settings.groq_second_model

    def holds(self) -> dict[str, Hold]:
        """The holds that are in force now."""
        now = self.now
        with self.warehouse.transaction() as tx:
            return {subject: one for subject, one in llm_holds.holds(tx).items() if one.is_active(now)}

    def obstacle(self, team_id: str, attempt: int) -> Hold | None:
        """What forbids sending anything of this team at this attempt now; None when nothing does."""
        holds = self.holds()
        subjects = (SERVICE, f"model:{self.model(attempt)}", f"budget:{team_id}")
        return next((holds[subject] for subject in subjects if subject in holds), None)

    def hold_for(self, error: ClassificationError, *, model: str, team_id: str, is_chat: bool = False) -> None:
        """Remember an error as a hold on what it concerns, for as long as it asks or by backoff.

        Single calls have rate limits of their own, which do not hold up batches.
        """
        code = self._cap if isinstance(error, BudgetExhausted) else getattr(error, "code", None) or type(error).__name__
        subject, seconds = self._held(error, str(code), model, team_id)
        if is_chat and isinstance(error, GroqUnavailable):
            subject = CHAT
        with self.warehouse.transaction() as tx:
            llm_holds.hold(
                tx,
                subject,
                str(code),
                f"{error} {error.remedy}".strip(),
                now=self.now,
                first_seconds=seconds,
                most_seconds=MOST_SECONDS,
                least_seconds=getattr(error, "retry_after_seconds", None) or 0.0,
            )
        self.report(str(error))

    @staticmethod
    def _held(error: ClassificationError, code: str, model: str, team_id: str) -> tuple[str, float | None]:
        if isinstance(error, BudgetExhausted):
            return f"budget:{team_id}", BUDGET_SECONDS
        if isinstance(error, GroqUnavailable):
            return SERVICE, OUTAGE_SECONDS
        if code == PLAN_WITHOUT_BATCHES:
            return BATCHES, PLAN_SECONDS
        if code == MODEL_GONE:
            return f"model:{model}", MODEL_SECONDS
        return SERVICE, None if code == MISSING_KEY else REFUSAL_SECONDS

    def look_for_refused_models(self) -> None:
        """Go on with a model when Groq lists it again, and forget those that the settings no longer name.

        Raises ClassificationError when Groq cannot tell.
        """
        wanted = {self.settings.groq_model, self.settings.groq_second_model}
        with self.warehouse.transaction() as tx:
            known = {
                one.subject.removeprefix("model:"): one for one in llm_holds.holds(tx).values() if one.is_of_a_model
            }
            for model in known.keys() - wanted:
                llm_holds.release(tx, f"model:{model}")
        due = [model for model in sorted(known.keys() & wanted) if known[model].is_due(self.now)]
        if due:
            listed = self.groq.models()
            with self.warehouse.transaction() as tx:
                for model in due:
                    is_back = model in listed and known[model].tries < MOST_REFUSALS_OF_A_MODEL
                    llm_holds.look_again(tx, f"model:{model}", self.now + timedelta(seconds=MODEL_SECONDS), is_back)

    @property
    def _cap(self) -> str:
        """The code of a hold by the present budget."""
        return f"budget of {self.settings.llm_budget_usd} dollars"

    def release_other_budgets(self) -> None:
        """The cap is another one now: whoever was held up by the last one need not wait for the next look."""
        with self.warehouse.transaction() as tx:
            for one in llm_holds.holds(tx).values():
                if one.subject.startswith("budget:") and one.code != self._cap:
                    llm_holds.release(tx, one.subject)

    def release_missing_key(self) -> None:
        """There is a key now: forget the note that there was none."""
        with self.warehouse.transaction() as tx:
            known = llm_holds.holds(tx).get(SERVICE)
            if known is not None and known.code == MISSING_KEY:
                llm_holds.release(tx, SERVICE)
