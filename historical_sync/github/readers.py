"""From answers to records: pages of the walk, hydrated pull requests, pages of their lists. Pure.

What an error names is unknown, never empty: a list that could not be read is a `ListSoFar` with a problem, a pull
request whose own fields could not be read is an `Unreadable`. Both are for hydration to ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from historical_sync.errors import CursorRefused, GitHubError, ResourceLimitsExceeded
from historical_sync.github.answers import Answer, FieldError, parse_git_time, parse_time, unavailable
from historical_sync.github.hydrated import HydratedPullRequest, ListSoFar, Unreadable
from historical_sync.github.queries import LIST_FIELDS
from historical_sync.records import ChangedFile, Commit, IndexEntry, Review, storable_text

REQUIRED = {
    *("id", "number", "title", "body", "state", "isDraft", "createdAt", "updatedAt"),
    *("additions", "deletions", "changedFiles", "headRefName", "baseRefName"),
}
"""Fields without which a pull request is no row."""


@dataclass(frozen=True, slots=True)
class WalkPage:
    """One page of a repository's pull requests, last updated first.

    `nulls` are entries that came as null, or with an error; `problem` is the error that GitHub gave for one of them.
    """

    node_id: str
    name: str
    entries: tuple[IndexEntry, ...]
    nulls: int
    total: int
    has_next: bool
    end_cursor: str | None
    answered_at: datetime
    problem: GitHubError | None = None

    @property
    def oldest(self) -> datetime | None:
        """The last update of the page's last entry; None on an empty page."""
        return min((entry.updated_at for entry in self.entries), default=None)


def read_walk_page(answer: Answer, repository: str, alias: str = "repository", *, is_first: bool = False) -> WalkPage:
    """One page of the walk; where the first one is the last, what it lacks of `totalCount` counts as null.

    Raises RepositoryUnavailable, CursorRefused, ResourceLimitsExceeded or ServerFailure.
    """
    errors = answer.errors_at(alias)
    found = answer.data.get(alias)
    connection = found.get("pullRequests") if isinstance(found, dict) else None
    if any("CURSOR" in one.type or "valid cursor" in one.message for one in errors):
        raise CursorRefused(f"{repository}: {errors[0].message}")
    of_entries = [one for one in errors if one.path[1:3] == ("pullRequests", "nodes") and len(one.path) > 3]
    if found is None or connection is None or connection.get("nodes") is None or len(of_entries) < len(errors):
        raise unavailable(repository, errors)
    unknown = {one.path[3] for one in of_entries}
    nodes = [None if place in unknown else node for place, node in enumerate(connection["nodes"])]
    is_whole = is_first and not connection["pageInfo"]["hasNextPage"]
    lacking = max(0, connection["totalCount"] - len(nodes)) if is_whole else 0
    return WalkPage(
        node_id=found["id"],
        name=storable_text(found["nameWithOwner"]),
        entries=tuple(_index_entry(node) for node in nodes if node is not None),
        nulls=sum(node is None for node in nodes) + lacking,
        total=connection["totalCount"],
        has_next=connection["pageInfo"]["hasNextPage"],
        end_cursor=connection["pageInfo"]["endCursor"],
        answered_at=answer.answered_at,
        problem=unavailable(repository, of_entries) if of_entries else None,
    )


def read_hydration(answer: Answer, ids: Sequence[str]) -> list[HydratedPullRequest | Unreadable]:
    """What `nodes(ids:)` gave, in the order of the ids. Raises ResourceLimitsExceeded when it gave nothing at all."""
    nodes = answer.data.get("nodes")
    if not isinstance(nodes, list) or len(nodes) != len(ids):
        raise ResourceLimitsExceeded(_first_message(answer.errors) or "GitHub gave no nodes.")
    places = _places(ids, nodes)
    read = [_read_node(answer, places[node_id], node_id, nodes[places[node_id]]) for node_id in ids]
    if all(isinstance(one, Unreadable) and one.is_heavy for one in read):
        raise ResourceLimitsExceeded(_first_message(answer.errors) or "GitHub gave no nodes.")
    return read


def read_list_page(answer: Answer, alias: str, so_far: ListSoFar, updated_at: datetime) -> bool:
    """Add the next page to a list. False when the pull request changed meanwhile, so that all of it is void."""
    errors = answer.errors_at(alias)
    node = answer.data.get(alias)
    if errors or not isinstance(node, dict) or "updatedAt" not in node:
        so_far.problem = _first_message(errors) or "the pull request came as null"
        return True
    if parse_time(node["updatedAt"]) != updated_at:
        return False
    _add_page(so_far, node.get(so_far.name), errors)
    return True


def read_survey(answer: Answer, count: int) -> list[int | None]:
    """The number of pull requests that search finds for each repository; None where it gives none."""
    found = []
    for place in range(count):
        node = answer.data.get(f"count{place}")
        known = isinstance(node, dict) and not answer.errors_at(f"count{place}")
        found.append(int(node["issueCount"]) if known and node else None)
    return found


def read_identity(answer: Answer) -> str | None:
    """The login behind the token, where GitHub tells it."""
    viewer = answer.data.get("viewer")
    return storable_text(viewer["login"]) if isinstance(viewer, dict) and viewer.get("login") else None


def read_ids(answer: Answer) -> list[str | None]:
    """The ids by which the nodes that were asked for go now; None for one that does not exist, or may not be read."""
    nodes = answer.data.get("nodes")
    return [node["id"] if isinstance(node, dict) else None for node in nodes or ()]


def read_existence(answer: Answer, ids: Sequence[str]) -> set[str]:
    """The ids that are gone: null with NOT_FOUND, while their repository can be read. Empty whenever that is unsure."""
    nodes = answer.data.get("nodes")
    if answer.data.get("repository") is None or not isinstance(nodes, list) or len(nodes) != len(ids):
        return set()
    found = {node["id"] for node in nodes if isinstance(node, dict) and "id" in node}
    return {
        node_id
        for place, node_id in enumerate(ids)
        if nodes[place] is None and node_id not in found and _is_gone(answer.errors_at("nodes", place))
    }


def _places(ids: Sequence[str], nodes: Sequence[Any]) -> dict[str, int]:
    """Where each id's node is: GitHub keeps the order, but what a node says of itself counts."""
    said = {node["id"]: place for place, node in enumerate(nodes) if isinstance(node, dict) and "id" in node}
    return {node_id: said.get(node_id, place) for place, node_id in enumerate(ids)}


def _read_node(answer: Answer, place: int, node_id: str, node: Any) -> HydratedPullRequest | Unreadable:
    errors = answer.errors_at("nodes", place)
    if node is None:
        return Unreadable(
            node_id,
            _first_message(errors) or "came as null",
            is_gone=_is_gone(errors),
            is_heavy=any(one.is_heavy for one in errors),
        )
    if not isinstance(node, dict) or "updatedAt" not in node:
        return Unreadable(node_id, "is no pull request", is_gone=True)
    unknown = {str(one.path[2]): one.message for one in errors if len(one.path) > 2}
    if unreadable := [name for name in sorted(REQUIRED) if node.get(name) is None]:
        reasons = [f"{name}: {unknown.get(name, 'came as null')}" for name in unreadable]
        return Unreadable(node_id, "; ".join(reasons), is_heavy=any(one.is_heavy for one in errors))
    lists = {name: _first_page(name, node, errors) for name in LIST_FIELDS}
    problems = [f"{name}: {message}" for name, message in unknown.items() if name not in LIST_FIELDS]
    if "timelineItems" not in unknown and _has_null_event(node.get("timelineItems")):
        problems.append("timelineItems: came as null")
    own_name = (node.get("repository") or {}).get("nameWithOwner") or ""
    return HydratedPullRequest(_fields(node), lists, problems, answer.asked_at, own_name)


def _first_page(name: str, node: dict[str, Any], errors: Iterable[FieldError]) -> ListSoFar:
    so_far = ListSoFar(name)
    if name in node:
        _add_page(so_far, node[name], [one for one in errors if len(one.path) > 2 and one.path[2] == name])
    else:
        so_far.problem = "not asked yet"
    return so_far


def _add_page(so_far: ListSoFar, connection: Any, errors: Sequence[FieldError]) -> None:
    if errors or not isinstance(connection, dict) or connection.get("nodes") is None:
        so_far.problem = _first_message(errors) or "came as null"
        return
    page = connection["pageInfo"]
    if page["hasNextPage"] and page["endCursor"] == so_far.cursor:
        so_far.problem = f"the cursor does not move from {so_far.cursor}"
        return
    read, key = ENTRIES[so_far.name]
    known = {key(entry) for entry in so_far.entries}
    fresh: list[Any] = []
    for node in connection["nodes"]:
        try:
            entry = read(node)
        except (KeyError, TypeError, AttributeError, ValueError):  # null, or of no shape: counted as missing
            so_far.nulls += 1
            continue
        if key(entry) in known:
            so_far.repeated += any(key(entry) == key(other) for other in fresh)
        else:
            known.add(key(entry))
            fresh.append(entry)
    if page["hasNextPage"] and not fresh and None not in connection["nodes"]:
        so_far.problem = f"the page after {so_far.cursor} brings nothing new"
        return
    so_far.entries += fresh
    so_far.total = connection["totalCount"]
    so_far.has_next, so_far.cursor, so_far.problem = page["hasNextPage"], page["endCursor"], None


def _index_entry(node: dict[str, Any]) -> IndexEntry:
    created_at, updated_at = parse_time(node["createdAt"]), parse_time(node["updatedAt"])
    if created_at is None or updated_at is None:
        raise GitHubError(f"Pull request {node.get('number')} came without its times.")
    return IndexEntry(
        number=node["number"],
        node_id=node["id"],
        state=node["state"],
        created_at=created_at,
        updated_at=updated_at,
        merged_at=parse_time(node["mergedAt"]),
        closed_at=parse_time(node["closedAt"]),
    )


def _fields(node: dict[str, Any]) -> dict[str, Any]:
    author, merged_by, milestone = node.get("author"), node.get("mergedBy"), node.get("milestone")
    return {
        "number": node["number"],
        "node_id": node["id"],
        "title": storable_text(node["title"]),
        "body": storable_text(node["body"]),
        "author_login": _login(author),
        "author_type": author["__typename"] if author else None,
        "state": node["state"],
        "is_draft": node["isDraft"],
        "created_at": parse_time(node["createdAt"]),
        "updated_at": parse_time(node["updatedAt"]),
        "merged_at": parse_time(node.get("mergedAt")),
        "closed_at": parse_time(node.get("closedAt")),
        "ready_at": _ready_at(node.get("timelineItems")),
        "merged_by": _login(merged_by),
        "additions": node["additions"],
        "deletions": node["deletions"],
        "changed_files": node["changedFiles"],
        "head_ref": storable_text(node["headRefName"]),
        "base_ref": storable_text(node["baseRefName"]),
        "milestone": storable_text(milestone["title"]) if milestone else None,
        "comment_count": node.get("totalCommentsCount"),
    }


def _has_null_event(timeline: dict[str, Any] | None) -> bool:
    """Whether the time line, or an event of it, came as null: then nobody knows when the draft was ready."""
    events = timeline.get("nodes") if timeline else None
    return events is None or None in events


def _ready_at(timeline: dict[str, Any] | None) -> datetime | None:
    events = [event for event in (timeline or {}).get("nodes") or () if event]
    return max((moment for event in events if (moment := parse_time(event.get("createdAt")))), default=None)


def _commit(node: dict[str, Any]) -> Commit:
    commit = node["commit"]
    author = commit.get("author") or {}
    return Commit(
        oid=commit["oid"],
        message=storable_text(commit["message"]),
        authored_at=parse_git_time(commit.get("authoredDate")),
        committed_at=parse_git_time(commit.get("committedDate")),
        author_login=_login(author.get("user")),
        author_name=_text(author.get("name")),
        author_email=_text(author.get("email")),
    )


def _review(node: dict[str, Any]) -> Review:
    author = node.get("author")
    return Review(
        review_id=node["id"],
        reviewer_login=_login(author),
        reviewer_type=author["__typename"] if author else None,
        state=node["state"],
        submitted_at=parse_time(node.get("submittedAt")),
        body=storable_text(node["body"]),
    )


def _file(node: dict[str, Any]) -> ChangedFile:
    return ChangedFile(storable_text(node["path"]), node["additions"], node["deletions"], node["changeType"])


def _itself(entry: Any) -> Any:
    return entry


ENTRIES: dict[str, tuple[Callable[[dict[str, Any]], Any], Callable[[Any], Any]]] = {
    "labels": (lambda node: storable_text(node["name"]), _itself),
    "assignees": (lambda node: storable_text(node["login"]), _itself),
    "closingIssuesReferences": (lambda node: (node["repository"]["nameWithOwner"], node["number"]), _itself),
    "reviews": (_review, lambda review: review.review_id),
    "commits": (_commit, lambda commit: commit.oid),
    "files": (_file, lambda file: file.path),
}
"""List → how an entry is read, and what tells two of them apart: lists move while one pages through them."""


def _login(actor: dict[str, Any] | None) -> str | None:
    return storable_text(actor["login"]) if actor and actor.get("login") else None


def _text(text: str | None) -> str | None:
    return None if text is None else storable_text(text)


def _is_gone(errors: Sequence[FieldError]) -> bool:
    return any(one.type == "NOT_FOUND" for one in errors)


def _first_message(errors: Sequence[FieldError]) -> str | None:
    return errors[0].message if errors else None
