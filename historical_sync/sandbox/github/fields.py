"""What each field of the schema answers, from the world's truth.

A field that is not listed here is the attribute of the same name in snake case. A resolver receives the object, the
arguments and the `Query` being answered. `plan` executes them, and in tests graphql-core's own executor does as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from historical_sync.sandbox.github import errors
from historical_sync.sandbox.github.connections import ByKey, ByOrder, ByPosition, Page
from historical_sync.sandbox.github.search import found_by_search
from historical_sync.sandbox.ordering import Filter, OrderedView
from historical_sync.sandbox.world import Account, ChangedFile, Commit, Event, PullRequest, Repository, Review

if TYPE_CHECKING:
    from historical_sync.sandbox.github.plan import Query

Arguments = dict[str, Any]
Resolver = Callable[[Any, Arguments, "Query"], Any]

RESOLVERS: dict[tuple[str, str], Resolver] = {}
"""(type, field) → resolver."""

ORDER_FIELDS = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at", "COMMENTS": "comment_count"}
EVENT_KINDS = {"ReadyForReviewEvent", "ConvertToDraftEvent", "ReopenedEvent", "ClosedEvent", "MergedEvent"}


def attribute(field: str) -> str:
    """The attribute behind a field that has no resolver: its name in snake case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", field).lower()


def field(type_name: str, *names: str) -> Callable[[Resolver], Resolver]:
    """Register a resolver for fields of one type."""

    def register(resolver: Resolver) -> Resolver:
        for name in names:
            RESOLVERS[type_name, name] = resolver
        return resolver

    return register


def constant(type_name: str, **values: Any) -> None:
    """Fields that are the same for every object of a type."""
    for name, value in values.items():
        RESOLVERS[type_name, name] = lambda obj, arguments, query, value=value: value


def derived(type_name: str, **readers: Callable[[Any], Any]) -> None:
    """Fields that follow from the object alone."""
    for name, read in readers.items():
        RESOLVERS[type_name, name] = lambda obj, arguments, query, read=read: read(obj)


class Named:
    """A label, milestone, branch, issue, …: an object that is little more than its name and where it lies."""

    __slots__ = ("name", "repository", "type_name")

    def __init__(self, type_name: str, name: Any, repository: Repository) -> None:
        self.type_name, self.name, self.repository = type_name, name, repository

    @property
    def node_id(self) -> str:
        """A global id made from the name."""
        return f"{self.type_name}_{self.repository.database_id:x}_{self.name}"


class GitActor:
    """The name and address that git recorded, with the account GitHub found for it."""

    __slots__ = ("date", "email", "name", "user")

    def __init__(self, name: str | None, email: str | None, user: Account | None, date: str) -> None:
        self.name, self.email, self.date = name, email, date
        self.user = user if user is not None and user.kind == "User" else None


class Entry:
    """A commit as an entry of a pull request."""

    __slots__ = ("commit", "pull_request")

    def __init__(self, commit: Commit, pull_request: PullRequest) -> None:
        self.commit, self.pull_request = commit, pull_request


class Moment:
    """An event of a pull request's time line."""

    __slots__ = ("event", "index", "pull_request")

    def __init__(self, event: Event, index: int, pull_request: PullRequest) -> None:
        self.event, self.index, self.pull_request = event, index, pull_request


TYPE_NAMES: dict[type, str] = {
    PullRequest: "PullRequest",
    Repository: "Repository",
    Commit: "Commit",
    Review: "PullRequestReview",
    ChangedFile: "PullRequestChangedFile",
    Entry: "PullRequestCommit",
}


def type_of(value: Any) -> str:
    """The GraphQL type of an object behind an interface or a union."""
    if isinstance(value, Account):
        return value.kind
    if isinstance(value, Named):
        return value.type_name
    if isinstance(value, Moment):
        return value.event.kind
    return next(TYPE_NAMES[kind] for kind in type(value).__mro__ if kind in TYPE_NAMES)


# Roots -----------------------------------------------------------------------------------------------------------


def readable(repository: Repository | None, wanted: str, query: Query) -> Repository:
    """The repository, or the error that this token meets."""
    query.repositories.add(wanted if repository is None else repository.full_name)
    if repository is None or repository.access == "missing":
        raise errors.repository_not_found(wanted)
    if repository.access == "forbidden":
        raise errors.forbidden()
    if repository.access == "saml":
        raise errors.saml_enforced()
    return repository


@field("Query", "repository")
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
    if owner.access == "missing":
        raise errors.node_not_found(node_id)
    if isinstance(found, PullRequest):
        query.pull_requests.append(found)
    readable(owner, owner.full_name, query)
    return found


@field("Query", "node")
def node(root: Any, arguments: Arguments, query: Query) -> Any:
    return node_of(arguments["id"], query)


@field("Query", "nodes")
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


@field("Query", "rateLimit")
def rate_limit(root: Any, arguments: Arguments, query: Query) -> Any:
    return query.rate_limit


@field("Query", "viewer")
def viewer(root: Any, arguments: Arguments, query: Query) -> Account:
    return query.viewer


@field("Query", "user", "organization")
def user(root: Any, arguments: Arguments, query: Query) -> Account:
    found = query.world.accounts.get(arguments["login"])
    if found is None or found.kind not in {"User", "Organization"}:
        raise errors.FieldError(f"Could not resolve to a User with the login of '{arguments['login']}'.", "NOT_FOUND")
    return found


@field("Query", "search")
def search(root: Any, arguments: Arguments, query: Query) -> Page:
    rows, count = found_by_search(query.world, arguments["query"], arguments["type"])
    page = Page(ByPosition(rows), arguments)
    page.total_count = count
    return page


derived("SearchResultItemConnection", issueCount=lambda page: page.total_count)
constant("SearchResultItemConnection", repositoryCount=0, userCount=0)
constant("Query", id="MDU6UXVlcnk=", meta=True)
constant("GitHubMetadata", gitHubServicesSha="5a4db0x", isPasswordAuthenticationVerifiable=False)

# Repository ------------------------------------------------------------------------------------------------------


@field("Repository", "pullRequest")
def pull_request(owner: Repository, arguments: Arguments, query: Query) -> PullRequest:
    found = owner.pull_requests.get(arguments["number"])
    if found is None:
        raise errors.pull_request_not_found(arguments["number"])
    query.pull_requests.append(found)
    return found


def _set(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


@field("Repository", "pullRequests")
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


derived(
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
constant(
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
derived("Ref", id=lambda one: one.node_id)
constant("Ref", prefix="refs/heads/", target=None)


@field("Repository", "owner")
def repository_owner(owner: Repository, arguments: Arguments, query: Query) -> Account:
    return query.world.account(owner.owner, "Organization")


# Accounts --------------------------------------------------------------------------------------------------------

for _kind in ("User", "Bot", "Mannequin", "Organization", "EnterpriseUserAccount"):
    derived(
        _kind,
        id=lambda one: f"U_kgDOD{one.database_id:x}",
        url=lambda one: f"https://github.com/{'apps/' if one.kind == 'Bot' else ''}{one.login}",
        resourcePath=lambda one: f"/{'apps/' if one.kind == 'Bot' else ''}{one.login}",
        avatarUrl=lambda one: f"https://avatars.githubusercontent.com/u/{one.database_id}?v=4",
    )
    constant(_kind, createdAt="2019-01-01T00:00:00Z", updatedAt="2024-01-01T00:00:00Z", bio=None, company=None)
derived("User", email=lambda one: one.email or "")
derived("GitActor", avatarUrl=lambda one: "https://avatars.githubusercontent.com/u/0?v=4")

# Pull request ----------------------------------------------------------------------------------------------------


def _url(one: PullRequest) -> str:
    return f"https://github.com/{_path(one)}"


def _path(one: PullRequest) -> str:
    return f"{one.repository.full_name}/pull/{one.number}"


def _decision(one: PullRequest) -> str | None:
    """As GitHub decides where a review is required: each reviewer's last verdict counts."""
    last: dict[str, str] = {}
    for review in one.reviews:
        if review is not None and review.author is not None and review.state in {"APPROVED", "CHANGES_REQUESTED"}:
            last[review.author.login] = review.state
    if not last:
        return None
    return "CHANGES_REQUESTED" if "CHANGES_REQUESTED" in last.values() else "APPROVED"


def _merge_commit(one: PullRequest) -> Commit | None:
    return one.commits[-1] if one.is_merged and one.commits else None


def _association(one: PullRequest) -> str:
    return "NONE" if one.author is None else "CONTRIBUTOR" if one.author.kind == "Bot" else "MEMBER"


derived(
    "PullRequest",
    id=lambda one: one.node_id,
    fullDatabaseId=lambda one: str(one.database_id),
    bodyText=lambda one: one.body,
    closed=lambda one: one.state != "OPEN",
    merged=lambda one: one.is_merged,
    mergeable=lambda one: "UNKNOWN" if one.state != "OPEN" else "MERGEABLE",
    mergeCommit=_merge_commit,
    milestone=lambda one: None if one.milestone is None else Named("Milestone", one.milestone, one.repository),
    headRefName=lambda one: one.head_ref,
    baseRefName=lambda one: one.base_ref,
    headRefOid=lambda one: one.commits[-1].oid if one.commits and one.commits[-1] else "0" * 40,
    baseRepository=lambda one: one.repository,
    headRepository=lambda one: one.repository,
    totalCommentsCount=lambda one: one.comment_count + sum(1 for review in one.reviews if review and review.body),
    publishedAt=lambda one: one.created_at,
    reviewDecision=_decision,
    authorAssociation=_association,
    url=_url,
    permalink=_url,
    checksUrl=lambda one: f"{_url(one)}/checks",
    resourcePath=lambda one: f"/{_path(one)}",
)
constant(
    "PullRequest",
    baseRefOid="0" * 40,
    createdViaEmail=False,
    editor=None,
    isCrossRepository=False,
    lastEditedAt=None,
    locked=False,
    maintainerCanModify=False,
)


@field("PullRequest", "headRepositoryOwner")
def head_repository_owner(one: PullRequest, arguments: Arguments, query: Query) -> Account:
    return query.world.account(one.repository.owner, "Organization")


@field("PullRequest", "commits")
def commits(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition([commit and Entry(commit, one) for commit in one.commits]), arguments, one, "commits")


@field("PullRequest", "files")
def files(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition(one.files), arguments, one, "files")


@field("PullRequest", "reviews")
def reviews(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    rows = [review for review in one.reviews if review is None or _admits(review, arguments)]
    return Page(ByKey(rows, lambda review: review and review.database_id), arguments, one, "reviews")


def _admits(review: Review, arguments: Arguments) -> bool:
    states, author = arguments.get("states"), arguments.get("author")
    login = review.author.login if review.author else None
    return (states is None or review.state in states) and (author is None or login == author)


@field("PullRequest", "latestReviews")
def latest_reviews(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    latest = {review.author: review for review in one.reviews if review is not None}
    return Page(ByKey(list(latest.values()), lambda review: review.database_id), arguments, one, "latestReviews")


@field("PullRequest", "labels")
def labels(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    rows = [label and Named("Label", label, one.repository) for label in one.labels]
    return Page(ByKey(rows, lambda label: label and label.name), arguments, one, "labels")


@field("PullRequest", "assignees")
def assignees(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    return Page(ByKey(one.assignees, lambda account: account and account.login), arguments, one, "assignees")


@field("PullRequest", "participants")
def participants(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    acting = [one.author, *(review.author for review in one.reviews if review)]
    people = {account.login: account for account in acting if account is not None and account.kind == "User"}
    return Page(ByKey(list(people.values()), lambda account: account.login), arguments, one, "participants")


@field("PullRequest", "closingIssuesReferences")
def closing_issues(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    rows = [number and Named("Issue", number, one.repository) for number in one.closing_issues]
    return Page(ByKey(rows, lambda issue: issue and issue.name), arguments, one, "closingIssuesReferences")


@field("PullRequest", "comments")
def comments(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    rows = [Named("IssueComment", number + 1, one.repository) for number in range(one.comment_count)]
    return Page(ByKey(rows, lambda comment: comment.name), arguments, one, "comments")


@field("PullRequest", "reviewRequests")
def review_requests(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition([]), arguments, one, "reviewRequests")


# Time line -------------------------------------------------------------------------------------------------------


def _item_type(type_name: str) -> str:
    return attribute(type_name).upper()


@field("PullRequest", "timelineItems")
def timeline_items(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    wanted, since = arguments.get("itemTypes"), arguments.get("since")
    moments = [Moment(event, index, one) for index, event in enumerate(_events(one))]
    total = len(moments)
    rows = [
        moment
        for moment in moments
        if (wanted is None or _item_type(moment.event.kind) in wanted)
        and (since is None or moment.event.created_at >= since)
    ]
    rows = rows[arguments.get("skip") or 0 :]
    page = Page(ByKey(rows, lambda moment: moment.index), arguments, one, "timelineItems")
    page.filtered_count, page.total_count = page.total_count, total
    return page


def _events(one: PullRequest) -> list[Event]:
    """The events told by the story, and those that follow from the pull request's state."""
    ended = [Event("MergedEvent", one.merged_at, one.merged_by)] if one.merged_at else []
    if one.closed_at:
        ended.append(Event("ClosedEvent", one.closed_at, one.merged_by))
    return sorted([*one.events, *ended], key=lambda event: event.created_at)


derived(
    "PullRequestTimelineItemsConnection",
    filteredCount=lambda page: page.filtered_count,
    pageCount=lambda page: len(page.nodes),
    updatedAt=lambda page: page.owner.updated_at,
)
for _kind in sorted(EVENT_KINDS):
    derived(
        _kind,
        id=lambda one: f"EV_{one.pull_request.database_id:x}_{one.index}",
        createdAt=lambda one: one.event.created_at,
        actor=lambda one: one.event.actor,
        url=lambda one: f"{_url(one.pull_request)}#event-{one.index}",
        resourcePath=lambda one: f"/{_path(one.pull_request)}#event-{one.index}",
        commit=lambda one: _merge_commit(one.pull_request),
        mergeRefName=lambda one: one.pull_request.base_ref,
    )
    constant(_kind, stateReason=None)

# Entries of the lists --------------------------------------------------------------------------------------------

derived(
    "PullRequestCommit",
    id=lambda one: f"PURC_{one.pull_request.database_id:x}_{one.commit.oid}",
    url=lambda one: f"{_url(one.pull_request)}/commits/{one.commit.oid}",
    resourcePath=lambda one: f"/{_path(one.pull_request)}/commits/{one.commit.oid}",
)


def _authors(one: Commit) -> list[GitActor]:
    """The author and those its `Co-authored-by` trailers name; GitHub gives the same from the commit's text."""
    found = [GitActor(one.author_name, one.author_email, one.author, one.authored_at)]
    for name, email in re.findall(r"(?im)^co-authored-by:\s*(.*?)\s*<([^>]*)>\s*$", one.message):
        found.append(GitActor(name, email, None, one.authored_at))
    return found


@field("Commit", "authors")
def authors(one: Commit, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition(_authors(one)), arguments, one, "authors")


@field("Commit", "parents")
def parents(one: Commit, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition([]), arguments, one, "parents")


derived(
    "Commit",
    id=lambda one: f"C_{one.oid}",
    abbreviatedOid=lambda one: one.oid[:7],
    authoredDate=lambda one: one.authored_at,
    committedDate=lambda one: one.committed_at,
    messageHeadline=lambda one: one.message.split("\n", 1)[0],
    messageBody=lambda one: one.message.partition("\n")[2].lstrip("\n"),
    author=lambda one: GitActor(one.author_name, one.author_email, one.author, one.authored_at),
    committer=lambda one: GitActor(one.author_name, one.author_email, one.author, one.committed_at),
    url=lambda one: f"https://github.com/commit/{one.oid}",
    resourcePath=lambda one: f"/commit/{one.oid}",
)
constant(
    "Commit", additions=0, deletions=0, authoredByCommitter=True, changedFilesIfAvailable=None, committedViaWeb=False
)
constant("PullRequestChangedFile", viewerViewedState="UNVIEWED")


@field("PullRequestReview", "comments")
def review_comments(one: Review, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition([]), arguments, one, "comments")


derived(
    "PullRequestReview",
    id=lambda one: one.node_id,
    fullDatabaseId=lambda one: str(one.database_id),
    bodyText=lambda one: one.body,
    createdAt=lambda one: one.submitted_at or "2020-01-01T00:00:00Z",
    updatedAt=lambda one: one.submitted_at or "2020-01-01T00:00:00Z",
    publishedAt=lambda one: one.submitted_at,
    url=lambda one: f"https://github.com/reviews/{one.database_id}",
    resourcePath=lambda one: f"/reviews/{one.database_id}",
)
constant(
    "PullRequestReview",
    authorAssociation="MEMBER",
    authorCanPushToRepository=True,
    commit=None,
    createdViaEmail=False,
    lastEditedAt=None,
)

for _kind in ("Label", "Milestone", "Issue", "IssueComment"):
    derived(
        _kind,
        id=lambda one: one.node_id,
        url=lambda one: f"https://github.com/{one.repository.full_name}/{one.type_name.lower()}s/{one.name}",
        resourcePath=lambda one: f"/{one.repository.full_name}/{one.type_name.lower()}s/{one.name}",
        createdAt=lambda one: one.repository.created_at,
        updatedAt=lambda one: one.repository.created_at,
        title=lambda one: str(one.name),
        number=lambda one: one.name if isinstance(one.name, int) else 1,
    )
    constant(
        _kind,
        databaseId=None,
        fullDatabaseId=None,
        description=None,
        closed=False,
        closedAt=None,
        dueOn=None,
        author=None,
    )
    constant(_kind, state="OPEN", color="ededed", isDefault=False, body="")
