"""Alerts: written once with what made them true, delivered signed, sent again until they arrive."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import dagster as dg
import pytest

from historical_sync.orchestration import webhooks
from historical_sync.settings import Settings
from historical_sync.warehouse import alerts, operations
from historical_sync.warehouse.postgres import Transaction
from historical_sync.warehouse.registry import add_team, remove_team
from historical_sync.window import months_wanted
from historical_sync_tests.factories import at
from historical_sync_tests.orchestration.ticking import PipelineAt, tick

NOW = at("2025-12-25T10:00")
FIRST = date(2024, 1, 1)
SECRET = "planted-webhook-secret"


class Receiver:
    """A web server that takes alerts, or refuses the first few."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.refusals = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_refused = receiver.refusals > 0
                receiver.refusals -= is_refused
                if not is_refused:
                    receiver.taken.append((dict(self.headers), body))
                self.send_response(503 if is_refused else 200)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Silent."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/planted-path"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver whose address and secret are set."""
    made = Receiver()
    monkeypatch.setenv(webhooks.URL, made.url)
    monkeypatch.setenv(webhooks.SECRET, SECRET)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def still(settings: Settings, instance: dg.DagsterInstance) -> PipelineAt:
    """A pipeline on 2025-12-25 at ten."""
    return PipelineAt(settings, NOW)


def note(tx: Transaction, team_id: str = "acme") -> None:
    alerts.note_milestones(tx, team_id, now=NOW, first_month=FIRST)


def load(tx: Transaction, month: date, repository: str = "acme/api") -> None:
    tx.execute(
        """
        insert into repository_months (team_id, repository, month, expected, stored, status, completed_at)
        values ('acme', %s, %s, 2, 2, 'completed', %s)
        """,
        [repository, month, NOW],
    )
    operations.mark_published(tx, "acme", month, now=NOW)


def kinds(tx: Transaction) -> list[str]:
    return [row["kind"] for row in tx.rows("select kind from alerts order by alert_id")]


def test_milestones_are_told_once_and_in_their_order(still: PipelineAt) -> None:
    """Begun, newest month, repository and history complete: each is one alert, however often somebody looks."""
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=1)
        newest, before = months_wanted(NOW, 1)
        for step in (None, newest, before):
            if step:
                load(tx, step)
            for _ in range(2):
                note(tx)
        assert kinds(tx) == ["onboarding_started", "newest_month_ready", "repository_completed", "history_complete"]
        team = tx.row("select onboarding_started_at, onboarded_at from teams")
        assert team == {"onboarding_started_at": NOW, "onboarded_at": NOW}


def test_a_history_with_a_hole_is_not_called_complete(still: PipelineAt) -> None:
    """One repository short of one month: neither that repository nor the history is announced."""
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api", "acme/web"], history_months=1)
        for month in months_wanted(NOW, 1):
            load(tx, month)
        load(tx, months_wanted(NOW, 1)[0], "acme/web")
        note(tx)
        assert "history_complete" not in kinds(tx)
        assert tx.value("select array_agg(payload->>'repository') from alerts where kind = 'repository_completed'") == [
            "acme/api"
        ]
        assert tx.value("select onboarded_at from teams") is None


def test_a_team_that_comes_back_is_told_anew(still: PipelineAt) -> None:
    """The keys hold the generation, and the first life's alerts went with it."""
    with still.warehouse.transaction() as tx:
        for _ in range(2):
            add_team(tx, "acme", ["acme/api"])
            note(tx)
            assert kinds(tx) == ["onboarding_started"]
            remove_team(tx, "acme")
            assert kinds(tx) == []


def test_a_failure_is_told_once_a_day_and_cause(still: PipelineAt) -> None:
    """Thirteen months that fail for one reason are one alert; another cause, or the next day, is another."""
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])

        def fail(cause: str, days: int = 0) -> bool:
            return alerts.note_failure(
                tx,
                "acme",
                month=date(2025, 12, 1),
                repository="acme/api",
                cause=cause,
                remedy="Mend it.",
                now=NOW + timedelta(days=days),
            )

        assert [fail("Gone."), fail("Gone."), fail("No access."), fail("Gone.", 1)] == [True, False, True, True]
        assert not alerts.note_failure(
            tx, "nobody", month=date(2025, 12, 1), repository=None, cause="x", remedy="", now=NOW
        )


def test_a_delivered_alert_is_signed_and_readable(still: PipelineAt, receiver: Receiver, instance: Any) -> None:
    """Slack finds `text`, programs the fields, and the signature is that of time and body under the secret."""
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        note(tx)
        tx.execute("update alerts set created_at = %s, next_attempt_at = %s", [NOW, NOW])
    tick("deliver_alerts", instance, still)
    ((headers, body),) = receiver.taken
    document = json.loads(body)
    assert document["text"].startswith("acme: loading 13 months of history from 1 repositories.")
    assert (document["kind"], document["team_id"]) == ("onboarding_started", "acme")
    assert document["page"].endswith("/teams/acme/progress")
    signed = headers["X-Historical-Sync-Timestamp"].encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Historical-Sync-Signature"] == f"sha256={expected}"
    tick("deliver_alerts", instance, still)
    assert len(receiver.taken) == 1, "delivered once"


def test_what_is_refused_is_sent_again_later(still: PipelineAt, receiver: Receiver, instance: Any) -> None:
    """A 503 puts an alert off by 30 seconds; the next is not held up by it, and its note holds no address."""
    receiver.refusals = 1
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        note(tx)
        add_team(tx, "other", ["acme/api"])
        note(tx, "other")
        tx.execute("update alerts set created_at = %s, next_attempt_at = %s", [NOW, NOW])
    tick("deliver_alerts", instance, still)
    assert [json.loads(body)["team_id"] for _, body in receiver.taken] == ["other"]
    still.time += timedelta(seconds=29)
    tick("deliver_alerts", instance, still)
    assert len(receiver.taken) == 1
    still.time += timedelta(seconds=1)
    tick("deliver_alerts", instance, still)
    assert [json.loads(body)["team_id"] for _, body in receiver.taken] == ["other", "acme"]


def test_a_receiver_that_is_away_leaves_no_secret_behind(
    still: PipelineAt, monkeypatch: pytest.MonkeyPatch, instance: Any
) -> None:
    """The note of a failed delivery repeats neither the address, which may be a secret, nor the signing secret."""
    monkeypatch.setenv(webhooks.URL, "http://127.0.0.1:9/hook/planted-path")
    monkeypatch.setenv(webhooks.SECRET, SECRET)
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        note(tx)
        tx.execute("update alerts set created_at = %s, next_attempt_at = %s", [NOW, NOW])
    tick("deliver_alerts", instance, still)
    with still.warehouse.transaction() as tx:
        error = tx.value("select error from alerts")
    assert error.startswith("The receiver did not answer")
    assert "planted" not in error


def test_old_news_is_not_sent(still: PipelineAt, receiver: Receiver, instance: Any) -> None:
    """Whoever sets a receiver up today does not get last week's alerts."""
    with still.warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        note(tx)
        tx.execute("update alerts set created_at = %s, next_attempt_at = %s", [NOW - timedelta(days=2), NOW])
    tick("deliver_alerts", instance, still)
    assert receiver.taken == []
