"""`POST /api/teams`: onboarding by the product around us."""

from typing import Any

import httpx
import pytest

from historical_sync.warehouse.postgres import Warehouse
from historical_sync_tests.dashboard.conftest import ADMIN_TOKEN, PageServer

HEADERS = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
TEAM = {"team_id": "acme", "repositories": ["acme/api", "acme/web"], "display_name": "Acme", "history_months": 6}


def test_a_team_is_registered_and_its_progress_can_be_watched(public: PageServer, warehouse: Warehouse) -> None:
    """The answer leads to the progress, and its link opens the team's page without any other right."""
    with public.client() as client:
        answer = client.post("/api/teams", json=TEAM, headers=HEADERS)
        assert answer.status_code == 201
        body = answer.json()
        assert body["progress_url"] == "https://metrics.example.com/teams/acme/progress"
        assert answer.headers["location"] == body["progress_api_url"]
        path = body["link"].removeprefix("https://metrics.example.com")
        assert client.get(path, follow_redirects=False).status_code == 303
    with warehouse.transaction() as tx:
        assert tx.rows("select team_id, display_name, history_months from teams") == [
            {"team_id": "acme", "display_name": "Acme", "history_months": 6}
        ]
        assert tx.value("select count(*) from tracked_repositories") == 2


def test_the_same_request_twice_changes_nothing(local: httpx.Client, warehouse: Warehouse) -> None:
    """Idempotent: the second answers 200 with the same addresses; a new repository is added, none is taken."""
    first = local.post("/api/teams", json=TEAM, headers=HEADERS)
    second = local.post("/api/teams", json={**TEAM, "repositories": ["ACME/api", "acme/mobile"]}, headers=HEADERS)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["progress_url"] == first.json()["progress_url"]
    with warehouse.transaction() as tx:
        names = [row["repository"] for row in tx.rows("select repository from tracked_repositories order by 1")]
    assert names == ["acme/api", "acme/mobile", "acme/web"]


@pytest.mark.parametrize(
    "change",
    [
        {"team_id": "Not A Team"},
        {"repositories": []},
        {"repositories": ["no-slash"]},
        {"repositories": ["a/b; drop table teams"]},
        {"history_months": 100000},
        {"token_ref": "ghp_a_real_token_by_mistake"},
        {"token_ref": "env:HISTORICAL_SYNC_SECRET_KEY"},
        {"token_ref": "env:GROQ_API_KEY"},
        {"unknown": "field"},
        {"team_id": None},
    ],
)
def test_what_is_not_well_formed_is_refused_with_its_reason(
    local: httpx.Client, warehouse: Warehouse, change: dict[str, Any]
) -> None:
    """A problem object names the field; nothing is stored, and a token sent by mistake is not repeated."""
    answer = local.post("/api/teams", json={**TEAM, **change}, headers=HEADERS)
    assert answer.status_code == 422
    assert next(iter(change)) in answer.json()["detail"]
    assert "ghp_" not in answer.text
    with warehouse.transaction() as tx:
        assert tx.value("select count(*) from teams") == 0


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {ADMIN_TOKEN}"}])
def test_only_the_administrator_may(local: httpx.Client, warehouse: Warehouse, headers: dict[str, str]) -> None:
    """Being on this machine is not enough: a page of another site could send a form there (CSRF)."""
    assert local.post("/api/teams", json=TEAM, headers=headers).status_code == 401
    with warehouse.transaction() as tx:
        assert tx.value("select count(*) from teams") == 0


def test_a_body_without_end_or_sense_is_refused(local: httpx.Client) -> None:
    """Too long is 413, not JSON is 422: neither is a defect of ours."""
    assert local.post("/api/teams", content=b"x" * 300_000, headers=HEADERS).status_code == 413
    assert local.post("/api/teams", content=b"not json", headers=HEADERS).status_code == 422
