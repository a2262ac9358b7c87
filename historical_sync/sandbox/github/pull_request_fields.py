"""What a pull request answers: its scalars, its lists, its time line, and the entries of these."""

from __future__ import annotations

import re

from historical_sync.sandbox.github.connections import ByKey, ByPosition, Page
from historical_sync.sandbox.github.objects import Entry, GitActor, Moment, Named
from historical_sync.sandbox.github.query import Query
from historical_sync.sandbox.github.registry import Arguments, Registry, attribute
from historical_sync.sandbox.world import Account, Commit, Event, PullRequest, Review

PULL_REQUESTS = Registry()
EVENT_KINDS = ("ClosedEvent", "ConvertToDraftEvent", "MergedEvent", "ReadyForReviewEvent", "ReopenedEvent")


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


PULL_REQUESTS.derived(
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
PULL_REQUESTS.constant(
    "PullRequest",
    baseRefOid="0" * 40,
    createdViaEmail=False,
    editor=None,
    isCrossRepository=False,
    lastEditedAt=None,
    locked=False,
    maintainerCanModify=False,
)


@PULL_REQUESTS.field("PullRequest", "headRepositoryOwner")
def head_repository_owner(one: PullRequest, arguments: Arguments, query: Query) -> Account:
    return query.world.account(one.repository.owner, "Organization")


@PULL_REQUESTS.field("PullRequest", "commits")
def commits(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition([commit and Entry(commit, one) for commit in one.commits]), arguments, one, "commits")


@PULL_REQUESTS.field("PullRequest", "files")
def files(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition(one.files), arguments, one, "files")


@PULL_REQUESTS.field("PullRequest", "reviews")
def reviews(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    rows = [review for review in one.reviews if review is None or _admits(review, arguments)]
    return Page(ByKey(rows, lambda review: review and review.database_id), arguments, one, "reviews")


def _admits(review: Review, arguments: Arguments) -> bool:
    states, author = arguments.get("states"), arguments.get("author")
    login = review.author.login if review.author else None
    return (states is None or review.state in states) and (author is None or login == author)


@PULL_REQUESTS.field("PullRequest", "latestReviews")
def latest_reviews(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    latest = {review.author: review for review in one.reviews if review is not None}
    return Page(ByKey(list(latest.values()), lambda review: review.database_id), arguments, one, "latestReviews")


@PULL_REQUESTS.field("PullRequest", "labels")
def labels(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    rows = [label and Named("Label", label, one.repository) for label in one.labels]
    return Page(ByKey(rows, lambda label: label and label.name), arguments, one, "labels")


@PULL_REQUESTS.field("PullRequest", "assignees")
def assignees(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    return Page(ByKey(one.assignees, lambda account: account and account.login), arguments, one, "assignees")


@PULL_REQUESTS.field("PullRequest", "participants")
def participants(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    acting = [one.author, *(review.author for review in one.reviews if review)]
    people = {account.login: account for account in acting if account is not None and account.kind == "User"}
    return Page(ByKey(list(people.values()), lambda account: account.login), arguments, one, "participants")


@PULL_REQUESTS.field("PullRequest", "closingIssuesReferences")
def closing_issues(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    rows = [number and Named("Issue", number, one.repository) for number in one.closing_issues]
    return Page(ByKey(rows, lambda issue: issue and issue.name), arguments, one, "closingIssuesReferences")


@PULL_REQUESTS.field("PullRequest", "comments")
def comments(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    rows = [Named("IssueComment", number + 1, one.repository) for number in range(one.comment_count)]
    return Page(ByKey(rows, lambda comment: comment.name), arguments, one, "comments")


@PULL_REQUESTS.field("PullRequest", "reviewRequests")
def review_requests(one: PullRequest, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition([]), arguments, one, "reviewRequests")


def _item_type(type_name: str) -> str:
    return attribute(type_name).upper()


@PULL_REQUESTS.field("PullRequest", "timelineItems")
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


PULL_REQUESTS.derived(
    "PullRequestTimelineItemsConnection",
    filteredCount=lambda page: page.filtered_count,
    pageCount=lambda page: len(page.nodes),
    updatedAt=lambda page: page.owner.updated_at,
)
for _kind in EVENT_KINDS:
    PULL_REQUESTS.derived(
        _kind,
        id=lambda one: f"EV_{one.pull_request.database_id:x}_{one.index}",
        createdAt=lambda one: one.event.created_at,
        actor=lambda one: one.event.actor,
        url=lambda one: f"{_url(one.pull_request)}#event-{one.index}",
        resourcePath=lambda one: f"/{_path(one.pull_request)}#event-{one.index}",
        commit=lambda one: _merge_commit(one.pull_request),
        mergeRefName=lambda one: one.pull_request.base_ref,
    )
    PULL_REQUESTS.constant(_kind, stateReason=None)


PULL_REQUESTS.derived(
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


@PULL_REQUESTS.field("Commit", "authors")
def authors(one: Commit, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition(_authors(one)), arguments, one, "authors")


@PULL_REQUESTS.field("Commit", "parents")
def parents(one: Commit, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition([]), arguments, one, "parents")


PULL_REQUESTS.derived(
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
PULL_REQUESTS.constant(
    "Commit", additions=0, deletions=0, authoredByCommitter=True, changedFilesIfAvailable=None, committedViaWeb=False
)
PULL_REQUESTS.constant("PullRequestChangedFile", viewerViewedState="UNVIEWED")


@PULL_REQUESTS.field("PullRequestReview", "comments")
def review_comments(one: Review, arguments: Arguments, query: Query) -> Page:
    return Page(ByPosition([]), arguments, one, "comments")


PULL_REQUESTS.derived(
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
PULL_REQUESTS.constant(
    "PullRequestReview",
    authorAssociation="MEMBER",
    authorCanPushToRepository=True,
    commit=None,
    createdViaEmail=False,
    lastEditedAt=None,
)

for _kind in ("Label", "Milestone", "Issue", "IssueComment"):
    PULL_REQUESTS.derived(
        _kind,
        id=lambda one: one.node_id,
        url=lambda one: f"https://github.com/{one.repository.full_name}/{one.type_name.lower()}s/{one.name}",
        resourcePath=lambda one: f"/{one.repository.full_name}/{one.type_name.lower()}s/{one.name}",
        createdAt=lambda one: one.repository.created_at,
        updatedAt=lambda one: one.repository.created_at,
        title=lambda one: str(one.name),
        number=lambda one: one.name if isinstance(one.name, int) else 1,
    )
    PULL_REQUESTS.constant(
        _kind,
        databaseId=None,
        fullDatabaseId=None,
        description=None,
        closed=False,
        closedAt=None,
        dueOn=None,
        author=None,
    )
    PULL_REQUESTS.constant(_kind, state="OPEN", color="ededed", isDefault=False, body="")
