"""The sandbox under test, and what tests ask it with."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from historical_sync.sandbox.server import Sandbox
from historical_sync_tests.sandbox.fixtures import empty_sandbox, sandbox  # noqa: F401

Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(sandbox: Sandbox) -> Ask:  # noqa: F811
    """Sends a GraphQL query to the demo sandbox."""
    return lambda query, token="t0ken", **variables: post(sandbox, query, token, **variables)


def post(running: Sandbox, query: str, token: str = "t0ken", **variables: Any) -> requests.Response:
    """A GraphQL request as any client sends it."""
    return requests.post(
        f"{running.github_url}/graphql",
        json={"query": query, "variables": variables},
        headers={"authorization": f"Bearer {token}"},
        timeout=10,
    )
