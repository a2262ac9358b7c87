"""Alerts on their way out: one POST each, JSON that Slack shows and programs read, signed so that it can be trusted.

The address and the secret are read when a request is made and stand nowhere else: a Slack address is itself a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from historical_sync.errors import ConfigurationError
from historical_sync.orchestration import links
from historical_sync.settings import Settings
from historical_sync.warehouse.alerts import Alert

URL = "HISTORICAL_SYNC_WEBHOOK_URL"
SECRET = "HISTORICAL_SYNC_WEBHOOK_SECRET"  # noqa: S105 - the name of the variable
CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0

TEXTS = {
    "onboarding_started": "{team}: loading {months} months of history from {repositories} repositories.",
    "repository_completed": "{team}: {repository} is loaded.",
    "newest_month_ready": "{team}: the newest month ({month}) is ready to look at.",
    "history_complete": "{team}: the whole history is loaded ({pull_requests} pull requests).",
    "failure": "{team}, {repository}, {month}: {cause} {what_to_do}",
}


class DeliveryFailed(Exception):
    """The receiver did not take an alert. Says why without naming the address."""


def is_wanted(environment: Mapping[str, str] | None = None) -> bool:
    """Whether anybody wants alerts."""
    return bool((os.environ if environment is None else environment).get(URL))


def body_of(alert: Alert, settings: Settings) -> bytes:
    """The request's body: `text` for Slack, the rest for programs. The same alert gives the same bytes."""
    payload = {key: value for key, value in alert.payload.items() if value is not None}
    said = {"team": alert.team_id, "repository": "all repositories", **payload}
    document: dict[str, Any] = {
        "text": f"{TEXTS[alert.kind].format(**said)} {links.progress_page(settings, alert.team_id)}",
        "kind": alert.kind,
        "team_id": alert.team_id,
        "alert_id": alert.alert_id,
        "at": alert.created_at.astimezone(UTC).isoformat(),
        "page": links.progress_page(settings, alert.team_id),
        **alert.payload,
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True).encode()


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes too: HMAC-SHA256 of `timestamp.body`, in hex. The time stops replays."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def headers_for(body: bytes, *, alert_id: int, secret: str | None, now_seconds: int) -> dict[str, str]:
    """The request's headers; signed only when there is a secret."""
    headers = {"Content-Type": "application/json", "X-Historical-Sync-Delivery": str(alert_id)}
    if secret:
        headers["X-Historical-Sync-Timestamp"] = str(now_seconds)
        headers["X-Historical-Sync-Signature"] = f"sha256={signature(secret, str(now_seconds), body)}"
    return headers


def deliver(alert: Alert, settings: Settings, environment: Mapping[str, str] | None = None) -> None:
    """Send one alert. Raises DeliveryFailed unless the receiver answers with 2xx; the caller tries again later."""
    import urllib3

    env = os.environ if environment is None else environment
    url = env.get(URL, "")
    if not url.startswith(("https://", "http://")):
        raise ConfigurationError(f"{URL} holds no web address.", remedy=f"Set {URL} to https://… or leave it out.")
    body = body_of(alert, settings)
    headers = headers_for(body, alert_id=alert.alert_id, secret=env.get(SECRET), now_seconds=int(time.time()))
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    try:
        with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
            answer = pool.request("POST", url, body=body, headers=headers)
    except urllib3.exceptions.HTTPError as error:
        # The library's own message repeats the address, and with it the secret that it may hold.
        raise DeliveryFailed(f"The receiver did not answer ({type(error).__name__}).") from None
    if not 200 <= answer.status < 300:
        raise DeliveryFailed(f"The receiver answered {answer.status}.")
