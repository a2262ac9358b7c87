"""Carries requests to Groq and its answers back, as bytes and plain objects. The one module that knows Groq's SDK.

Groq's refusals become our errors, which say whether waiting helps. The SDK's own retries are off: repeating the
creation of a batch would make a second one. What may safely be asked again, and soon, is repeated here. The key is
read from GROQ_API_KEY at each call and is never part of a message.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tenacity

from historical_sync.classification.batches import (
    COMPLETION_WINDOW,
    ENDPOINT,
    BatchState,
    LineResult,
    read_completion,
    read_state,
)
from historical_sync.classification.groq_replies import (
    CONCERNS_EVERY_REQUEST,
    INVALID_KEY,
    KEY_VARIABLE,
    MISSING_KEY,
    PLAN_WITHOUT_BATCHES,
    NotFound,
    pause_seconds,
    refusal,
)
from historical_sync.errors import GroqRefused, GroqUnavailable
from historical_sync.settings import Settings

if TYPE_CHECKING:
    from groq import Groq

READ_TIMEOUT_SECONDS = 30.0
UPLOAD_TIMEOUT_SECONDS = 300.0
DOWNLOAD_TIMEOUT_SECONDS = 120.0
CHAT_TIMEOUT_SECONDS = 90.0

MOST_PAGES = 500
"""Pages of the list of batches that are looked through for a lost one, before that is given up as unanswerable."""


def connect(settings: Settings) -> GroqClient | None:
    """A client for the Groq of these settings; None when there is no key, and everything is queued."""
    return GroqClient(settings.groq_base_url) if os.environ.get(KEY_VARIABLE) else None


@dataclass(frozen=True, slots=True)
class Reply:
    """A single call's result, and how long Groq's limits ask to wait before the next one like it."""

    result: LineResult
    pause_seconds: float


class GroqClient:
    """Groq at `base_url`, which may or may not end in `/openai/v1`; None is Groq's own address.

    Every method raises GroqUnavailable when waiting helps and GroqRefused when it does not.
    """

    def __init__(self, base_url: str | None = None) -> None:
        self.base_url = (base_url or "").rstrip("/").removesuffix("/openai/v1") or None
        self._made_with: str | None = None
        self._sdk_client: Groq | None = None

    # --- files and batches

    def upload(self, name: str, content: bytes) -> str:
        """Upload a batch file; returns the file's id. Repeating it leaves an orphan file and costs nothing."""
        raw = self._json(
            lambda sdk: sdk.files.with_raw_response.create(
                file=(name, content, "application/jsonl"), purpose="batch", timeout=UPLOAD_TIMEOUT_SECONDS
            )
        )
        file_id = raw.get("id") if isinstance(raw, dict) else None
        if not isinstance(file_id, str) or not file_id:
            raise GroqUnavailable("Groq took a file and gave it no id.")
        return file_id

    def create_batch(self, input_file_id: str, metadata: dict[str, str]) -> BatchState:
        """Create a batch. Never repeated here: an error leaves open whether Groq created it (see find_batch)."""
        raw = self._json(
            lambda sdk: sdk.batches.with_raw_response.create(
                completion_window=COMPLETION_WINDOW,
                endpoint=ENDPOINT,
                input_file_id=input_file_id,
                metadata=metadata,
                timeout=READ_TIMEOUT_SECONDS,
            )
        )
        return _state(raw)

    def retrieve_batch(self, batch_id: str) -> BatchState:
        """The batch's present state. Raises NotFound when Groq does not know it."""
        return _state(
            self._asked_again(
                lambda sdk: sdk.batches.with_raw_response.retrieve(batch_id, timeout=READ_TIMEOUT_SECONDS)
            )
        )

    def find_batch(self, intent_id: str, input_file_id: str) -> BatchState | None:
        """The batch that was created for an intent, wherever in Groq's list it stands; None when there is none."""
        found = [
            state
            for state in self.batches()
            if state.input_file_id == input_file_id or state.metadata.get("intent") == intent_id
        ]
        return min(found, key=lambda state: (state.created_at is None, state.created_at), default=None)

    def batches(self) -> Iterator[BatchState]:
        """Every batch of the account. Groq pages by `cursor` and `paging.next_cursor`; `after` is OpenAI's way.

        The SDK's list() knows neither, so they go in as extra_query. Raises GroqUnavailable when the list has no end.
        """
        query: dict[str, object] = {"limit": 100}
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._page(query)
            fresh = [state for state in map(read_state, page.get("data") or []) if state and state.batch_id not in seen]
            yield from fresh
            seen.update(state.batch_id for state in fresh)
            following = _next_page(page, fresh)
            if following is None or not fresh:
                return
            query = {"limit": 100, **following}
        raise GroqUnavailable(f"Groq's list of batches did not end after {MOST_PAGES} pages.")

    def _page(self, query: dict[str, object]) -> dict[str, Any]:
        raw = self._asked_again(
            lambda sdk: sdk.batches.with_raw_response.list(extra_query=query, timeout=READ_TIMEOUT_SECONDS)
        )
        if not isinstance(raw, dict):
            raise GroqUnavailable("Groq's list of batches is not one.")
        return raw

    def download(self, file_id: str) -> bytes:
        """A file's content. Raises NotFound when Groq has deleted it."""
        response = self._repeated(
            lambda sdk: sdk.files.with_raw_response.content(file_id, timeout=DOWNLOAD_TIMEOUT_SECONDS)
        )
        content: bytes = response.http_response.content
        return content

    def cancel(self, batch_id: str) -> None:
        """Ask Groq to stop a batch."""
        self._json(lambda sdk: sdk.batches.with_raw_response.cancel(batch_id, timeout=READ_TIMEOUT_SECONDS))

    # --- what the key can do

    def models(self) -> tuple[str, ...]:
        """The names of the models that the key may use."""
        raw = self._asked_again(lambda sdk: sdk.models.with_raw_response.list(timeout=READ_TIMEOUT_SECONDS))
        listed = raw.get("data") if isinstance(raw, dict) else None
        return tuple(sorted(str(one["id"]) for one in listed or [] if isinstance(one, dict) and one.get("id")))

    def has_batches(self) -> bool | None:
        """Whether the plan has batches, as far as listing them tells; None when Groq does not know the question."""
        try:
            self._page({"limit": 1})
        except NotFound:
            return None
        except GroqRefused as refused:
            if refused.code != PLAN_WITHOUT_BATCHES:
                raise
            return False
        return True

    # --- one call at a time, for plans without batches

    def complete(self, name: str, body: dict[str, Any]) -> Reply:
        """The answer to one chat completion, sent exactly once.

        What Groq says about this one request (400 json_validate_failed and its like) comes back as a result with an
        error; what concerns every request is raised.
        """
        try:
            response = self._call(
                lambda sdk: sdk.chat.completions.with_raw_response.create(**body, timeout=CHAT_TIMEOUT_SECONDS)
            )
        except GroqRefused as refused:
            if refused.code in CONCERNS_EVERY_REQUEST:
                raise
            return Reply(LineResult(name, None, str(refused), refused.code), 0.0)
        result = read_completion(name, 200, _parsed(response))
        return Reply(result, pause_seconds(response.headers, result.input_tokens + result.output_tokens))

    # --- the way there and back

    def _sdk(self) -> Groq:
        key = os.environ.get(KEY_VARIABLE, "").strip()
        if not key:
            raise GroqRefused(f"{KEY_VARIABLE} is not set.", code=MISSING_KEY, remedy=f"Set {KEY_VARIABLE}.")
        if not key.isascii() or not key.isprintable() or " " in key:
            text = f"{KEY_VARIABLE} holds no key: one has no spaces, line breaks or letters outside ASCII."
            raise GroqRefused(text, code=INVALID_KEY, remedy=f"Set {KEY_VARIABLE} to a valid key.")
        if self._sdk_client is None or self._made_with != key:
            from groq import Groq  # half a second, so only when something is sent

            logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request at INFO
            self._sdk_client = Groq(api_key=key, base_url=self.base_url or "https://api.groq.com", max_retries=0)
            self._made_with = key
        return self._sdk_client

    def _call(self, ask: Callable[[Groq], Any]) -> Any:
        sdk = self._sdk()
        with _our_errors(sdk.api_key):
            return ask(sdk)

    def _json(self, ask: Callable[[Groq], Any]) -> Any:
        return _parsed(self._call(ask))

    def _repeated(self, ask: Callable[[Groq], Any]) -> Any:
        """The same, asked up to three times within seconds: only for reading, which changes nothing at Groq."""
        return _SOON_AGAIN(self._call, ask)

    def _asked_again(self, ask: Callable[[Groq], Any]) -> Any:
        return _SOON_AGAIN(self._json, ask)


def _worth_asking_again(error: BaseException) -> bool:
    return isinstance(error, GroqUnavailable) and not error.is_timeout and (error.retry_after_seconds or 0) <= 2


_SOON_AGAIN = tenacity.Retrying(
    retry=tenacity.retry_if_exception(_worth_asking_again),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=2),
    reraise=True,
)


def _parsed(response: Any) -> Any:
    try:
        return response.http_response.json()
    except ValueError as error:
        raise GroqUnavailable("Groq's answer is not JSON.", may_have_arrived=True) from error


def _state(raw: Any) -> BatchState:
    state = read_state(raw)
    if state is None:
        raise GroqUnavailable("Groq's answer is no batch.", may_have_arrived=True)
    return state


def _next_page(page: dict[str, Any], fresh: list[BatchState]) -> dict[str, object] | None:
    paging = page.get("paging")
    cursor = paging.get("next_cursor") if isinstance(paging, dict) else page.get("next_cursor")
    if isinstance(cursor, str) and cursor:
        return {"cursor": cursor}
    if page.get("has_more") and fresh:
        return {"after": page.get("last_id") or fresh[-1].batch_id}
    return None


@contextmanager
def _our_errors(key: str) -> Iterator[None]:
    """Turn the SDK's errors into ours. `from None`: the SDK's carry the request, and with it the key.

    A server or a proxy may repeat the key in its message, so it is blotted out of whatever is told.
    """
    import groq
    import httpx

    try:
        yield
    except groq.APITimeoutError:
        raise GroqUnavailable("Groq did not answer in time.", is_timeout=True, may_have_arrived=True) from None
    except groq.APIConnectionError as error:
        arrived = not isinstance(error.__cause__, httpx.ConnectError)
        reason = str(error.__cause__ or error).replace(key, "***")
        raise GroqUnavailable(f"Groq cannot be reached: {reason}", may_have_arrived=arrived) from None
    except groq.APIStatusError as error:
        body = json.loads(json.dumps(error.body, default=str).replace(key, "***"))
        raise refusal(error.status_code, error.request.url.path, body, error.response.headers) from None
    except groq.APIError as error:
        said = f"Groq's answer cannot be read: {error.message.replace(key, '***')}"
        raise GroqUnavailable(said, may_have_arrived=True) from None


@dataclass(frozen=True, slots=True)
class GroqReport:
    """What a key can do: which models it has, and whether its plan has batches (None: Groq did not say)."""

    models: tuple[str, ...]
    has_batches: bool | None


def inspect_key(settings: Settings) -> GroqReport | None:
    """Ask Groq what the key can do, in two requests that spend no tokens; None when there is no key.

    Raises GroqRefused for a key that Groq does not take, GroqUnavailable when it does not answer.
    """
    client = connect(settings)
    return GroqReport(client.models(), client.has_batches()) if client else None
