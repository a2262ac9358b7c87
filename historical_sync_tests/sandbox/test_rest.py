"""GitHub's REST paths: limits, identity, and an app's installation tokens."""

from datetime import datetime, timedelta

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from historical_sync.sandbox.github.rest import INSTALLATION_ID
from historical_sync.sandbox.server import Sandbox
from historical_sync_tests.sandbox.conftest import post
from historical_sync_tests.sandbox.worlds import numbered


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    encoding, shape = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, shape).decode()


def app_token(key: rsa.RSAPrivateKey, minutes: int = 9, age_seconds: int = 30) -> str:
    """A JWT by the clock of the `numbered` world."""
    issued = numbered(0).clock() - timedelta(seconds=age_seconds)
    claims = {"iss": "12345", "iat": issued, "exp": issued + timedelta(minutes=minutes)}
    return jwt.encode(claims, key, algorithm="RS256")


def ask(running: Sandbox, method: str, path: str, token: str) -> requests.Response:
    return requests.request(method, f"{running.url}{path}", headers={"authorization": f"Bearer {token}"}, timeout=5)


def test_an_installation_token_works_for_an_hour(private_key: rsa.RSAPrivateKey) -> None:
    """JWT → installation → token with an expiry; GraphQL takes it, and refuses it past its time."""
    with Sandbox(numbered(1), app_public_key=public_pem(private_key)) as running:
        app = app_token(private_key)
        assert ask(running, "GET", "/repos/acme/api/installation", app).json()["id"] == INSTALLATION_ID
        issued = ask(running, "POST", f"/app/installations/{INSTALLATION_ID}/access_tokens", app)
        token = issued.json()["token"]
        assert issued.status_code == 201
        lifetime = datetime.fromisoformat(issued.json()["expires_at"]) - running.world.clock()
        assert lifetime == timedelta(hours=1)
        assert post(running, "{ viewer { login } }", token).status_code == 200
        assert ask(running, "GET", "/user", token).status_code == 403
        running.github.identities.expires_at[token] = "2020-01-01T00:00:00Z"
        assert post(running, "{ viewer { login } }", token).status_code == 401


@pytest.mark.parametrize("changes", [{"minutes": 30}, {"age_seconds": 3600}, {"age_seconds": -300}])
def test_a_jwt_out_of_its_time_is_refused(private_key: rsa.RSAPrivateKey, changes: dict[str, int]) -> None:
    """At most ten minutes long, not expired, and not of the future, by the sandbox's clock."""
    with Sandbox(numbered(1), app_public_key=public_pem(private_key)) as running:
        answer = ask(running, "GET", "/repos/acme/api/installation", app_token(private_key, **changes))
        assert answer.status_code == 401


def test_another_key_is_refused(private_key: rsa.RSAPrivateKey) -> None:
    """The signature is checked where a public key is given."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with Sandbox(numbered(1), app_public_key=public_pem(private_key)) as running:
        assert ask(running, "GET", "/repos/acme/api/installation", app_token(other)).status_code == 401
        assert ask(running, "GET", "/repos/acme/none/installation", app_token(private_key)).status_code == 404
        assert ask(running, "POST", "/app/installations/1/access_tokens", app_token(private_key)).status_code == 404


def test_rate_limit_tells_the_budget_without_touching_it() -> None:
    """GET /rate_limit is free; 404 where limits are off."""
    with Sandbox(numbered(1)) as running:
        post(running, "{ viewer { login } }", "t")
        for _ in range(2):
            told = ask(running, "GET", "/rate_limit", "t").json()["resources"]["graphql"]
            assert (told["limit"], told["remaining"], told["used"]) == (5000, 4999, 1)
        running.github.identities.mode = "absent"
        assert ask(running, "GET", "/rate_limit", "t").status_code == 404


def test_user_tells_login_and_scopes() -> None:
    """GET /user: the login, and the scopes in a header."""
    with Sandbox(numbered(1)) as running:
        running.github.identities.logins["t"] = "ada"
        answer = ask(running, "GET", "/user", "t")
        assert answer.json()["login"] == "ada"
        assert "repo" in answer.headers["x-oauth-scopes"]
        running.github.identities.revoke("t")
        assert ask(running, "GET", "/user", "t").status_code == 401


def test_a_fault_strikes_rest_only_by_name(private_key: rsa.RSAPrivateKey) -> None:
    """A rule for GraphQL leaves installation tokens alone; one that names the operation strikes them."""
    with Sandbox(numbered(1), app_public_key=public_pem(private_key)) as running:
        path = f"/app/installations/{INSTALLATION_ID}/access_tokens"
        running.faults.add("502")
        assert ask(running, "POST", path, app_token(private_key)).status_code == 201
        running.faults.add("503", operation="access_token", times=1)
        assert ask(running, "POST", path, app_token(private_key)).status_code == 503
        assert ask(running, "POST", path, app_token(private_key)).status_code == 201
