"""What the roots answer: repositories, nodes by id, search, limits, and the accounts behind a login."""

from __future__ import annotations

from typing import Any

from historical_sync.sandbox.github import errors
from historical_sync.sandbox.github.connections import ByOrder, ByPosition, Page
from historical_sync.sandbox.github.objects import Named
from historical_sync.sandbox.github.query import Query
from historical_sync.sandbox.github.registry import Arguments, Registry
from historical_sync.sandbox.github.search import found_by_search
from historical_sync.sandbox.ordering import Filter, OrderedView
from historical_sync.sandbox.world import Account, PullRequest, Repository

ROOTS = Registry()
ORDER_FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "COMMENTS": "comment_count"}


def readable(repository: Repository | None, wanted: str, query: Query) -> Repository:
    """The repository, or the error that this token meets."""
    query.repositories.add(wanted if repository is None else repository.full_name)
    access = "missing" if repository is None else access_to(repository, query)
    if repository is None or access == "missing":
        raise errors.repository_not_found(wanted)
    if access == "forbidden":
        raise errors.forbidden()
    if access == "saml":
        raise errors.saml_enforced()
    return repository


def access_to(repository: Repository, query: Query) -> str:
    """What this query's identity meets at a repository."""
    return repository.access_of.get(query.viewer.login, repository.access)


@ROOTS.field("Query", "repository")
def repository(root: Any, arguments: Arguments, query: Query) -> Repository:
    wanted = f"{arguments['owner']}/{arguments['name']}"
    found = query.world.repository(wanted)
    if found is not None and not arguments["followRenames"] and found.full_name.lower() != wanted.lower():
        found = None
    return readable(found, wanted, query)


def node_of(node_id: str, query: Query) -> Any:
    """The object of a global id; raises the error that GitHub gives for it."""
    found = query.world.node(node_id)
    if found is None:
        raise errors.node_not_found(node_id)
    owner = found if isinstance(found, Repository) else found.repository
    if access_to(owner, query) == "missing":
        raise errors.node_not_found(node_id)
    if isinstance(found, PullRequest):
        query.pull_requests.append(found)
    readable(owner, owner.full_name, query)
    return found


@ROOTS.field("Query", "node")
def node(root: Any, arguments: Arguments, query: Query) -> Any:
    return node_of(arguments["id"], query)


@ROOTS.field("Query", "nodes")
def nodes(root: Any, arguments: Arguments, query: Query) -> list[Any]:
    if len(arguments["ids"]) > 100:
        count = len(arguments["ids"])
        raise errors.FieldError(f"You may not provide more than 100 node ids; you provided {count}.", "ARGUMENT_LIMIT")
    found: list[Any] = []
    for node_id in arguments["ids"]:
        try:
            found.append(node_of(node_id, query))
        except errors.FieldError as error:
            found.append(error)
    return found


@ROOTS.field("Query", "rateLimit")
def rate_limit(root: Any, arguments: Arguments, query: Query) -> Any:
    return query.rate_limit


@ROOTS.field("Query", "viewer")
def viewer(root: Any, arguments: Arguments, query: Query) -> Account:
    return query.viewer


@ROOTS.field("Query", "user", "organization")
def user(root: Any, arguments: Arguments, query: Query) -> Account:
    found = query.world.accounts.get(arguments["login"])
    if found is None or found.kind not in {"User", "Organization"}:
        raise errors.FieldError(f"Could not resolve to a User with the login of '{arguments['login']}'.", "NOT_FOUND")
    return found


@ROOTS.field("Query", "search")
def search(root: Any, arguments: Arguments, query: Query) -> Page:
    rows, count = found_by_search(query.world, arguments["query"], arguments["type"])
    page = Page(ByPosition(rows), arguments)
    page.total_count = count
    return page


ROOTS.derived("SearchResultItemConnection", issueCount=lambda page: page.total_count)
ROOTS.constant("SearchResultItemConnection", repositoryCount=0, userCount=0)
ROOTS.constant("Query", id="MDU6UXVlcnk=", meta=True)
ROOTS.constant("GitHubMetadata", gitHubServicesSha="5a4db0x", isPasswordAuthenticationVerifiable=False)


@ROOTS.field("Repository", "pullRequest")
def pull_request(owner: Repository, arguments: Arguments, query: Query) -> PullRequest:
    found = owner.pull_requests.get(arguments["number"])
    if found is None:
        raise errors.pull_request_not_found(arguments["number"])
    query.pull_requests.append(found)
    return found


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


@ROOTS.field("Repository", "pullRequests")
def pull_requests(owner: Repository, arguments: Arguments, query: Query) -> Page:
    order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    wanted = Filter(
        ORDER_FIELDS[order["field"]],
        _set(arguments.get("states")),
        _set(arguments.get("labels")),
        arguments.get("headRefName"),
        arguments.get("baseRefName"),
    )
    view = OrderedView(query.orders.of(owner, wanted), order["direction"] == "DESC")
    page = Page(ByOrder(view), arguments, owner, "pullRequests")
    query.pull_requests.extend(page.nodes)
    return page


def _latest(owner: Repository) -> str:
    return max((one.updated_at for one in owner), default=owner.created_at)


ROOTS.derived(
    "Repository",
    id=lambda one: one.node_id,
    nameWithOwner=lambda one: one.full_name,
    isEmpty=lambda one: not one.pull_requests,
    resourcePath=lambda one: f"/{one.full_name}",
    url=lambda one: f"https://github.com/{one.full_name}",
    updatedAt=_latest,
    pushedAt=_latest,
    visibility=lambda one: "PRIVATE" if one.is_private else "PUBLIC",
    defaultBranchRef=lambda one: Named("Ref", one.default_branch, one),
)
ROOTS.constant(
    "Repository",
    description=None,
    isDisabled=False,
    isFork=False,
    isInOrganization=True,
    isLocked=False,
    isMirror=False,
    isTemplate=False,
    primaryLanguage=None,
    stargazerCount=0,
    viewerPermission="READ",
)
ROOTS.derived("Ref", id=lambda one: one.node_id)
ROOTS.constant("Ref", prefix="refs/heads/", target=None)


@ROOTS.field("Repository", "owner")
def repository_owner(owner: Repository, arguments: Arguments, query: Query) -> Account:
    return query.world.account(owner.owner, "Organization")


for _kind in ("User", "Bot", "Mannequin", "Organization", "EnterpriseUserAccount"):
    ROOTS.derived(
        _kind,
        id=lambda one: f"U_kgDOD{one.database_id:x}",
        url=lambda one: f"https://github.com/{'apps/' if one.kind == 'Bot' else ''}{one.login}",
        resourcePath=lambda one: f"/{'apps/' if one.kind == 'Bot' else ''}{one.login}",
        avatarUrl=lambda one: f"https://avatars.githubusercontent.com/u/{one.database_id}?v=4",
    )
    ROOTS.constant(_kind, createdAt="2019-01-01T00:00:00Z", updatedAt="2024-01-01T00:00:00Z", bio=None, company=None)
ROOTS.derived("User", email=lambda one: one.email or "")
ROOTS.derived("GitActor", avatarUrl=lambda one: "https://avatars.githubusercontent.com/u/0?v=4")
