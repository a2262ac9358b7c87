"""Who is let in, and who is not: over real HTTP, with real rows of two teams."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import httpx
import pytest

from historical_sync.dashboard.access import bearer_token, cookie_name, signed_link
from historical_sync.records import Team
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.registry import add_team, read_team, remove_team
from historical_sync_tests.dashboard.conftest import PageServer, Serve

PAGES = ("progress", "trends", "trends.csv", "pull-requests.csv?metric=pull_requests_merged&month=2025-03")
APIS = ("progress", "trends", "pull-requests?metric=pull_requests_merged&month=2025-03")


@pytest.fixture
def teams(warehouse: Warehouse) -> tuple[Team, Team]:
    """Two teams: acme, and the rival that must not see it."""
    with warehouse.transaction() as tx:
        return add_team(tx, "acme", ["acme/secret-plans"]), add_team(tx, "rival", ["rival/web"])


@contextmanager
def opened(server: PageServer, team: Team) -> Iterator[httpx.Client]:
    """A browser that opened the team's link."""
    with server.client() as client:
        link = signed_link(server.settings, team, base_url=server.url)
        assert client.get(link, follow_redirects=False).status_code == 303
        for cookie in client.cookies.jar:
            cookie.secure = False  # the page is behind https for its users; the test asks it directly
        yield client


def addresses(team_id: str) -> list[str]:
    return [f"/teams/{team_id}/{name}" for name in PAGES] + [f"/api/teams/{team_id}/{name}" for name in APIS]


def test_a_link_opens_its_own_team(public: PageServer, teams: tuple[Team, Team]) -> None:
    """Every page, file and API of the team answers to its link."""
    with opened(public, teams[0]) as client:
        for address in addresses("acme"):
            assert client.get(address).status_code == 200, address


def test_a_link_never_opens_another_team(public: PageServer, teams: tuple[Team, Team]) -> None:
    """With acme's link in hand, every address of the rival is refused and shows nothing of it."""
    with opened(public, teams[0]) as client:
        for address in [*addresses("rival"), "/teams/rival", "/teams/rival/progress/events"]:
            answer = client.get(address)
            assert answer.status_code == 401, address
            assert "rival/web" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/teams/acme/../rival/progress",
        "/teams/acme%2f..%2frival/progress",
        "/teams/acme/%2e%2e/rival/progress",
        "/teams/./rival/progress",
        "//teams/rival/progress",
        "/teams/rival;acme/progress",
        "/teams/acme/progress/../../rival/trends",
        "/api/teams/acme/../rival/progress",
        "/api/teams/acme/trends?repository=rival/web",
        "/api/teams/acme/trends?repository=each&team=rival&team_id=rival",
        "/api/teams/acme/pull-requests?metric=pull_requests_merged&month=2025-03&repository=rival/web",
        "/teams/acme/pull-requests.csv?metric=pull_requests_merged&month=2025-03&repository=rival/web&team=rival",
        "/teams/acme/trends?repository=rival/web",
        "/teams/acme/trends?point=pull_requests_merged@2025-03&repository=%2A&team=rival",
    ],
)
def test_no_twist_of_an_address_leads_to_another_team(
    public: PageServer, teams: tuple[Team, Team], address: str
) -> None:
    """Sent as it stands, without a client's tidying up: no path and no parameter shows a row of the rival."""
    token = bearer_token(public.settings, teams[0])
    connection = http.client.HTTPConnection("127.0.0.1", public.port, timeout=30)
    connection.request("GET", address, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    assert answer.status in (200, 401, 403, 404, 422)
    echoed = ("'rival/web'", "&#39;rival/web&#39;", '"repository": "rival/web"')
    for what_was_asked in echoed:
        body = body.replace(what_was_asked, "")
    assert "rival/web" not in body
    assert answer.status != 200 or "rival" not in body


def test_a_head_that_never_ends_is_refused(public: PageServer) -> None:
    """More than 64 KiB of headers are refused without being read to their end."""
    with socket.create_connection(("127.0.0.1", public.port), timeout=30) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"a" * 70_000)
        assert b" 400 " in raw.recv(100)


def test_a_cookie_renamed_for_another_team_is_refused(public: PageServer, teams: tuple[Team, Team]) -> None:
    """The cookie's name is not what counts: acme's right under the rival's name opens nothing."""
    with opened(public, teams[0]) as client:
        value = client.cookies[cookie_name("acme")]
        answer = client.get("/api/teams/rival/progress", headers={"Cookie": f"{cookie_name('rival')}={value}"})
    assert answer.status_code == 403
    assert "rival/web" not in answer.text


def test_without_a_link_nothing_is_shown(public: PageServer, teams: tuple[Team, Team]) -> None:
    """Neither pages nor APIs nor the list of teams; whether a team exists is not told either."""
    with public.client() as client:
        for address in [*addresses("acme"), *addresses("nobody"), "/"]:
            answer = client.get(address)
            assert answer.status_code == 401, address
            assert "secret-plans" not in answer.text


def test_a_bearer_token_reads_one_team(public: PageServer, teams: tuple[Team, Team]) -> None:
    """A program's token opens its team's API, no other's; a wrong one is refused."""
    headers = {"Authorization": f"Bearer {bearer_token(public.settings, teams[0])}"}
    with public.client() as client:
        assert client.get("/api/teams/acme/progress", headers=headers).status_code == 200
        assert client.get("/api/teams/rival/progress", headers=headers).status_code == 403
        assert client.get("/api/teams/acme/progress", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_wrong_token_is_refused_even_on_this_machine(local: httpx.Client, teams: tuple[Team, Team]) -> None:
    """Who shows a token is judged by it, wherever they are."""
    assert local.get("/api/teams/acme/progress").status_code == 200
    assert local.get("/api/teams/acme/progress", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_former_teams_link_does_not_open_the_new_team(
    public: PageServer, teams: tuple[Team, Team], warehouse: Warehouse
) -> None:
    """A team that was removed and came back under its name is another team."""
    with opened(public, teams[0]) as client:
        with warehouse.transaction() as tx:
            remove_team(tx, "acme")
            again = add_team(tx, "acme", ["acme/new-owner"])
        assert again.generation > teams[0].generation
        answer = client.get("/api/teams/acme/progress")
    assert answer.status_code == 403
    assert "new-owner" not in answer.text


def test_an_expired_link_says_so(public: PageServer, teams: tuple[Team, Team]) -> None:
    """The answer tells how to get a new one, and sets no cookie."""
    with public.client() as client:
        answer = client.get(signed_link(public.settings, teams[0], base_url=public.url, valid_days=-1))
        assert answer.status_code == 401
        assert "team link" in answer.text
        assert not client.cookies


def test_the_cookie_is_for_the_browser_alone(public: PageServer, teams: tuple[Team, Team]) -> None:
    """No script can read it, no plain-http page gets it, and the address it leads to holds no token."""
    with public.client() as client:
        answer = client.get(signed_link(public.settings, teams[0], base_url=public.url), follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "secure", "samesite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert answer.headers["location"] == "/teams/acme"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Host": "evil.example"},
    ],
)
def test_a_proxy_or_a_rebound_name_is_not_this_machine(
    local: httpx.Client, teams: tuple[Team, Team], headers: dict[str, str]
) -> None:
    """The loopback exception ends where somebody else may be asking; a forged header buys nothing."""
    assert local.get("/teams/acme/progress").status_code == 200
    assert local.get("/teams/acme/progress", headers=headers).status_code == 401


def test_every_answer_carries_the_security_headers(local: httpx.Client, teams: tuple[Team, Team]) -> None:
    """Pages, APIs, files and errors: no script but ours, no framing, no sniffing, nothing kept by caches."""
    for address in ("/teams/acme/progress", "/api/teams/acme/trends", "/nowhere", "/healthz"):
        headers = local.get(address, follow_redirects=True).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, address
        assert "script-src 'self';" in policy
        assert "unsafe-inline" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert local.get("/teams/acme/progress").headers["cache-control"] == "no-store"


def test_team_names_are_never_sql_or_html(local: httpx.Client, teams: tuple[Team, Team]) -> None:
    """A crafted name is a team that does not exist, and is shown as text."""
    for name in ("acme' or '1'='1", "*", "<script>alert(1)</script>", "..", "ACME", "acme\0"):
        answer = local.get(f"/teams/{quote(name, safe='')}/progress")
        assert answer.status_code in (404, 422), name
        assert "<script>alert" not in answer.text
        assert "secret-plans" not in answer.text


def test_errors_are_pages_for_people_and_problems_for_programs(local: httpx.Client) -> None:
    """The same refusal, designed for whoever asked (RFC 9457 for programs)."""
    page, problem = local.get("/teams/nobody/progress"), local.get("/api/teams/nobody/progress")
    assert page.headers["content-type"].startswith("text/html")
    assert "There is no team" in page.text
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == 404
    assert problem.json()["detail"]
    assert local.post("/teams/nobody/progress").status_code == 405


def test_files_are_kept_for_ever_under_an_address_that_changes(local: httpx.Client, teams: tuple[Team, Team]) -> None:
    """A page's files may be cached for a year; another version's address is gone."""
    html = local.get("/teams/acme/progress").text
    address = next(part for part in html.split('"') if part.endswith("/page.css"))
    answer = local.get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["content-encoding"] == "gzip"
    assert local.get(address, headers={"Accept-Encoding": "identity"}).text == answer.text
    assert local.get("/static/0000000000000000/page.css").status_code == 404
    assert local.get(address.replace("page.css", "server.py")).status_code == 404


def test_health(local: httpx.Client, serve: Serve) -> None:
    """200 while the database answers, 503 without it; nothing about teams either way."""
    assert local.get("/healthz").json() == {"status": "ok"}


def test_the_page_reads_as_a_role_that_cannot_write_what_it_shows(
    local: httpx.Client, teams: tuple[Team, Team], warehouse: Warehouse
) -> None:
    """One transaction a request, under the page's role: after the request nothing of it is left on the connection."""
    assert local.get("/api/teams/acme/progress").json()["team_id"] == "acme"
    assert local.get("/api/teams/rival/progress").json()["team_id"] == "rival"
    with warehouse.transaction() as tx:
        assert read_team(tx, "acme").status == "active"
        assert tx.value("select current_setting('app.team_id', true)") in (None, "")
