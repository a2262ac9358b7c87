"""The addresses that lead to a team's pages: the list on this machine, signed links, and onboarding by a program."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from historical_sync.dashboard import access
from historical_sync.dashboard.routes.gate import ASK_FOR_A_LINK, Doorkeeper, Json, TeamRequest, for_team, present_team
from historical_sync.dashboard.routes.templates import page
from historical_sync.errors import ConfigurationError
from historical_sync.warehouse.registry import add_team, list_teams

MOST_BODY_BYTES = 256 * 1024
OUR_SECRETS = ("HISTORICAL_SYNC_", "GROQ_", "DAGSTER_", "PG")
"""How the variables begin that hold secrets other than GitHub's."""


def home(request: Request) -> Response:
    """The teams, for this machine's own user; others are told to open their link."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    if not doorkeeper.is_local(request):
        raise HTTPException(401, f"This page opens with a team's own link. {ASK_FOR_A_LINK}")
    with doorkeeper.warehouse.transaction() as tx:
        teams = list_teams(tx)
    if len(teams) == 1:
        return RedirectResponse(f"/teams/{teams[0].team_id}", status_code=303)
    return page("home.html", teams=teams, team=None, tab=None)


@for_team
def team_home(asked: TeamRequest) -> Response:
    """A team's front door: its trends once there are any, its progress until then."""
    has_trends = asked.tx.value("select exists (select 1 from monthly_trends where team_id = %s)", [asked.team.team_id])
    return RedirectResponse(f"{asked.path}/{'trends' if has_trends else 'progress'}", status_code=303)


def open_link(request: Request) -> Response:
    """A signed link: its right goes into a cookie for this team alone, and the address bar shows no token."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    grant = access.read_grant(doorkeeper.key, "link", request.path_params["token"])
    if grant is None:
        raise HTTPException(401, f"This link has expired, or is not whole. {ASK_FOR_A_LINK}")
    with doorkeeper.reading(grant.team_id) as tx:
        present_team(tx, grant.team_id, grant)
    response = RedirectResponse(f"/teams/{grant.team_id}", status_code=303, headers={"Cache-Control": "no-store"})
    is_https = request.url.scheme == "https" or (doorkeeper.settings.public_url or "").startswith("https://")
    response.set_cookie(
        access.cookie_name(grant.team_id),
        access.cookie_value(doorkeeper.key, grant),
        expires=access.expiry(grant),
        httponly=True,
        samesite="lax",
        secure=is_https,
    )
    return response


Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", max_length=200)]


class NewTeam(BaseModel):
    """What `POST /api/teams` takes. The token itself is never sent, only a reference to it."""

    model_config = ConfigDict(extra="forbid")

    team_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    repositories: Annotated[list[Repository], Field(min_length=1, max_length=1000)]
    display_name: Annotated[str, Field(max_length=200)] | None = None
    history_months: Annotated[int, Field(ge=0, le=240)] | None = None
    token_ref: Annotated[str, Field(pattern=r"^(env|file|app):.+$", max_length=500)] | None = None

    @field_validator("token_ref")
    @classmethod
    def _names_no_secret_of_ours(cls, reference: str | None) -> str | None:
        """A reference is sent to GitHub as a token: one that names our own secrets would give them away."""
        if reference is not None and reference.startswith(tuple(f"env:{start}" for start in OUR_SECRETS)):
            raise ValueError("it names a setting of historical_sync, not a GitHub token")
        return reference


async def onboard(request: Request) -> Response:
    """Register a team, or add to it; the same request twice changes nothing. Answers with where to watch it load.

    The administrator's token goes into a header that no form and no other site's script can send, so a browser cannot
    be tricked into this; the cookie and the loopback exception count for nothing here.
    """
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    if not access.is_administrator(request.headers.get("authorization"), doorkeeper.environment):
        raise HTTPException(401, f"Send `Authorization: Bearer …` with the value of {access.ADMIN_TOKEN_VARIABLE}.")
    wanted = _read_new_team(await _body(request))
    is_new, answer = await run_in_threadpool(_add, doorkeeper, wanted)
    return Json(answer, status_code=201 if is_new else 200, headers={"Location": answer["progress_api_url"]})


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise HTTPException(413, f"The body has more than {MOST_BODY_BYTES} bytes.")
    return body


def _read_new_team(body: bytes) -> NewTeam:
    try:
        return NewTeam.model_validate_json(body)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())
        raise HTTPException(422, wrong) from error


def _add(doorkeeper: Doorkeeper, wanted: NewTeam) -> tuple[bool, dict[str, Any]]:
    months = doorkeeper.settings.history_months if wanted.history_months is None else wanted.history_months
    try:
        with doorkeeper.warehouse.transaction() as tx:
            is_new = tx.value("select 1 from teams where team_id = %s", [wanted.team_id]) is None
            team = add_team(
                tx,
                wanted.team_id,
                wanted.repositories,
                history_months=months if is_new else wanted.history_months,
                display_name=wanted.display_name,
                token_ref=wanted.token_ref,
            )
    except ConfigurationError as error:
        raise HTTPException(409 if "removed" in str(error) else 422, f"{error} {error.remedy}".strip()) from error
    base = access.base_address(doorkeeper.settings, port=doorkeeper.port)
    return is_new, {
        "team_id": team.team_id,
        "is_new": is_new,
        "progress_url": f"{base}/teams/{team.team_id}/progress",
        "progress_api_url": f"{base}/api/teams/{team.team_id}/progress",
        "link": access.signed_link(doorkeeper.settings, team, base_url=base),
    }
