"""Limits, reserves and tokens: waits are seen, the customer keeps a share, and a revoked token stops nobody else."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from historical_sync.cli.services import free_port
from historical_sync.errors import AllRepositoriesFailed, ConfigurationError, ServerFailure, TokenRefused
from historical_sync.github.inspection import TokenReport, inspect_tokens
from historical_sync.github.queries import IDENTITY
from historical_sync.github.tokens import references
from historical_sync.github.transport import Transport
from historical_sync_tests.github.conftest import SetStage
from historical_sync_tests.github.stage import NOW, Stage

LIMITS = [
    "rate_limited",
    "rate_limit",
    "rate_limited_403",
    "secondary",
    "secondary_403",
    "secondary_429",
    "secondary_200",
]


@pytest.mark.parametrize("kind", LIMITS)
def test_a_limit_is_waited_out_and_told(stage: Stage, kind: str) -> None:
    """Primary or secondary, with or without retry-after: it waits as long as GitHub says, untold at least a minute."""
    stage.sandbox.faults.add(kind, nth=5, retry_after=40)
    seen: list[list[dict[str, object]]] = []
    stage.time.sleep = _watching(stage, seen)  # type: ignore[method-assign]
    ingested = stage.ingest(stage.months[0])
    stage.assert_true_or_told()
    assert {one.status for one in ingested.repositories} == {"completed"}
    least = 60 if kind in {"secondary_403", "secondary_200"} else 39
    assert least <= ingested.waited_seconds <= least * 1.5
    waits = [row for rows in seen for row in rows]
    assert waits
    assert all(row["resume_at"] > NOW for row in waits)  # type: ignore[operator]
    assert any("Waiting until" in line for line in stage.lines)
    assert stage.rows("select * from github_waits") == []


def _watching(stage: Stage, seen: list[list[dict[str, object]]]) -> object:
    sleep = stage.time.sleep

    def watch(seconds: float) -> None:
        seen.append(stage.rows("select reason, resume_at from github_waits"))
        sleep(seconds)

    return watch


def test_a_reserve_is_left_for_the_customer(stage: Stage) -> None:
    """With a tenth of the hour's points left it stops and goes on after the reset; GitHub never had to refuse."""
    stage.sandbox.github.identities.limit = 20
    ingested = stage.sync()
    stage.assert_all_true()
    least = min(entry_remaining(stage))
    assert least >= 1
    assert sum(one.waited_seconds for one in ingested) > 1800
    assert all(entry.fault is None for entry in stage.sandbox.requests)
    assert any("reserve" in line for line in stage.lines)


def entry_remaining(stage: Stage) -> list[int]:
    """Points that were left after each request, by hour's window."""
    left: list[int] = []
    used, window = 0, None
    for entry in stage.sandbox.requests.of("graphql"):
        hour = entry.at
        if window is None or hour >= window:
            used, window = 0, _plus_hour(hour)
        used += entry.points
        left.append(stage.sandbox.github.identities.limit - used)
    return left


def _plus_hour(text: str) -> str:
    from historical_sync.sandbox.world import moment, stamp

    return stamp(moment(text) + timedelta(hours=1))


@pytest.mark.parametrize("mode", ["zero", "absent"])
def test_a_server_without_limits_is_not_waited_for(stage: Stage, mode: str) -> None:
    """GitHub Enterprise Server with limits switched off says 0 of 0, or nothing: no reason to stop."""
    stage.sandbox.github.identities.mode = mode
    ingested = stage.sync()
    stage.assert_all_true()
    assert sum(one.waited_seconds for one in ingested) == 0


def test_several_tokens_share_the_work(set_stage: SetStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each identity spends of its own budget; the one with the most points left goes first."""
    monkeypatch.setenv("GITHUB_TOKENS", "token-a, token-b,token-c")
    stage = set_stage(tokens=references(None))
    stage.sync()
    stage.assert_all_true()
    spent = {login: budget.used for login, budget in stage.sandbox.github.identities.budgets.items()}
    assert len(spent) == 3
    assert min(spent.values()) > 0


def test_two_tokens_of_one_user_are_one_budget(set_stage: SetStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget goes by identity: the second token of a user gives no second reserve."""
    monkeypatch.setenv("GITHUB_TOKENS", "token-a,token-b")
    stage = set_stage(tokens=references(None))
    stage.sandbox.github.identities.logins |= {"token-a": "ada", "token-b": "ada"}
    stage.ingest(stage.months[0])
    assert [row["identity"] for row in stage.rows("select identity from github_budgets")] == ["ada"]
    assert stage.rows("select max(slot) as most from github_streams")[0]["most"] in {None, 0}


def test_a_token_revoked_in_the_middle_is_taken_out(set_stage: SetStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others go on; what is told names the reference, and the token itself appears nowhere."""
    monkeypatch.setenv("GITHUB_TOKENS", "secret-a,secret-b")
    stage = set_stage(tokens=references(None))
    stage.sandbox.changes.after(6, lambda world: stage.sandbox.github.identities.revoked.add("secret-a"))
    stage.sync()
    stage.assert_all_true()
    assert any("env:GITHUB_TOKENS#1" in line for line in stage.lines)
    assert not any("secret-a" in line for line in stage.lines)


def test_no_token_left_fails_every_repository_by_reference(stage: Stage) -> None:
    """The last token revoked: the month fails at once and names the reference."""
    stage.sandbox.github.identities.revoked.add("token-one")
    with pytest.raises(AllRepositoriesFailed) as caught:
        stage.ingest(stage.months[0])
    assert all("env:GITHUB_TOKEN" in error for error in caught.value.failures.values())
    assert "token-one" not in json.dumps(caught.value.failures)
    assert caught.value.remedy == TokenRefused.remedy
    assert len(stage.sandbox.requests) < 10


def test_nobody_at_the_address_is_no_problem_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection names the setting and the network, not GitHub, as what to look at."""
    monkeypatch.setenv("GITHUB_TOKEN", "token-one")
    with pytest.raises(ServerFailure) as caught:
        Transport(f"http://127.0.0.1:{free_port()}").ask("env:GITHUB_TOKEN", IDENTITY, {})
    assert "GITHUB_API_URL" in caught.value.remedy


def test_without_any_token_the_message_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable, no reference: a remedy instead of a request."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_TOKENS", raising=False)
    with pytest.raises(ConfigurationError) as caught:
        references(None)
    assert "GITHUB_TOKEN" in caught.value.remedy


def test_a_reference_is_read_when_a_request_is_made(
    set_stage: SetStage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token that is exchanged in its file between two requests is used from the next one on."""
    secret = tmp_path / "token"
    secret.write_text("first\n")
    stage = set_stage(tokens=[f"file:{secret}"])

    def exchange(world: object) -> None:
        secret.write_text("second\n")
        stage.sandbox.github.identities.revoked.add("first")

    stage.sandbox.changes.after(5, exchange)
    stage.sync()
    stage.assert_all_true()


def test_an_app_installation_renews_its_token(
    set_stage: SetStage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """App id and key make one-hour tokens; a run that lasts longer renews them before they end and never sees a 401."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    path = tmp_path / "app.pem"
    path.write_bytes(pem)
    stage = set_stage(tokens=[f"app:1234:4711:file:{path}"])
    stage.sandbox.rest.app_public_key = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    client = stage.client()
    for month in stage.months:
        stage.ingest(month, client)
        stage.time.sleep(3500)
    stage.assert_all_true()
    assert 401 not in {entry.status for entry in stage.sandbox.requests}
    assert len(stage.sandbox.github.identities.expires_at) >= 4
    assert [row["identity"] for row in stage.rows("select identity from github_budgets")] == ["installation:4711"]


def test_a_token_is_inspected_without_being_shown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor` learns whose each token is and what is left of it; a refused one is named by its reference."""
    monkeypatch.setenv("GITHUB_TOKENS", "good-token,bad-token")
    stage.sandbox.github.identities.logins["good-token"] = "ada"
    stage.sandbox.github.identities.revoked.add("bad-token")
    good, bad = inspect_tokens(stage.sandbox.github_url)
    assert isinstance(good, TokenReport)
    assert (good.token_ref, good.login, good.limit) == ("env:GITHUB_TOKENS#1", "ada", 5000)
    assert good.remaining < 5000
    assert isinstance(bad, TokenRefused)
    assert bad.token_ref == "env:GITHUB_TOKENS#2"
    assert "bad-token" not in str(bad)
