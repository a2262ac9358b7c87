"""The gate before every team's data: who asks, may they, and one transaction under the team's row-level security."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, wraps
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from historical_sync.dashboard import access
from historical_sync.dashboard.access import Grant
from historical_sync.records import Team
from historical_sync.settings import Settings
from historical_sync.warehouse.access import team_transaction
from historical_sync.warehouse.page_reads import read_visible_team
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.registry import TEAM_ID

ASK_FOR_A_LINK = "Ask for a link: `historical-sync team link TEAM` makes one."


class Doorkeeper:
    """What all requests share: settings, the warehouse, the key that signs, and where GitHub's pages are."""

    def __init__(self, settings: Settings, warehouse: Warehouse, environment: Mapping[str, str], port: int) -> None:
        self.settings = settings
        self.warehouse = warehouse
        self.environment = environment
        self.port = port

    @cached_property
    def key(self) -> str:
        return access.secret_key(self.settings, self.environment)

    def is_local(self, request: Request) -> bool:
        """Whether this machine's own user asks. Behind a public address nobody is taken for that."""
        if self.settings.public_url:
            return False
        client = request.client.host if request.client else None
        return access.is_local(client, request.scope.get("http_version", ""), request.headers)

    def grant(self, request: Request, team_id: str) -> Grant | None:
        """The right to read this team; None for this machine's own user. Raises HTTPException 401 or 403."""
        bearer = access.bearer_of(request.headers.get("authorization"))
        if bearer is not None:
            return self._checked(access.read_grant(self.key, "bearer", bearer), team_id, "The token")
        cookie = request.cookies.get(access.cookie_name(team_id))
        grant = access.read_grant(self.key, "cookie", cookie) if cookie else None
        if grant is None and self.is_local(request):
            return None
        return self._checked(grant, team_id, "The link")

    @staticmethod
    def _checked(grant: Grant | None, team_id: str, what: str) -> Grant:
        if grant is None:
            raise HTTPException(401, f"{what} is missing, expired or not ours. {ASK_FOR_A_LINK}")
        if grant.team_id != team_id:
            raise HTTPException(403, f"{what} opens another team's page, not this one.")
        return grant

    def reading(self, team_id: str) -> AbstractContextManager[Transaction]:
        """A transaction that sees this team's rows and no others."""
        return team_transaction(self.warehouse, team_id)


@dataclass(frozen=True, slots=True)
class TeamRequest:
    """A request that passed the gate, inside its transaction."""

    request: Request
    doorkeeper: Doorkeeper
    tx: Transaction
    team: Team
    now: datetime

    @property
    def path(self) -> str:
        return f"/teams/{self.team.team_id}"


def for_team(answer: Callable[[TeamRequest], Response]) -> Callable[[Request], Response]:
    """An endpoint for `/…/{team}/…`: `answer` is called inside the team's transaction, or nobody is let in."""

    @wraps(answer)
    def endpoint(request: Request) -> Response:
        doorkeeper: Doorkeeper = request.app.state.doorkeeper
        team_id = request.path_params["team"]
        grant = doorkeeper.grant(request, team_id)
        if "\0" in team_id or any("\0" in value for value in request.query_params.values()):
            raise HTTPException(422, "An address cannot hold the character NUL.")  # nor can PostgreSQL's text
        with doorkeeper.reading(team_id) as tx:
            team = present_team(tx, team_id, grant)
            return answer(TeamRequest(request, doorkeeper, tx, team, datetime.now(UTC)))

    return endpoint


def present_team(tx: Transaction, team_id: str, grant: Grant | None) -> Team:
    """The team's row. Raises HTTPException 404 when there is none, 401 or 403 when the grant is not for it any more."""
    team = require_team(tx, team_id)
    require_right(team.generation, grant)
    return team


def require_team(tx: Transaction, team_id: str) -> Team:
    """The team's row. Raises HTTPException 404 when there is none."""
    team = read_visible_team(tx, team_id) if TEAM_ID.fullmatch(team_id) else None
    if team is None:
        raise HTTPException(404, f"There is no team {team_id!r}.")
    return team


def require_right(generation: int, grant: Grant | None) -> None:
    """Raises HTTPException 403 when the grant is for a former team of this name, 401 when it has ended."""
    if grant is not None and grant.generation != generation:
        raise HTTPException(403, f"The link is for a former team of this name. {ASK_FOR_A_LINK}")
    if grant is not None and grant.expires_at <= time.time():
        raise HTTPException(401, f"The link has expired. {ASK_FOR_A_LINK}")


class Json(Response):
    """JSON for programs and people: indented, and never kept by a shared cache."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, indent=1, default=str).encode()
