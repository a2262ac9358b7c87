"""What we ask GitHub: GraphQL documents as text, and nothing that reads or sends them.

Prices are GitHub's: add up the connections that a query opens, divide by 100, round, at least one point. The walk opens
none per pull request, so a page of 100 costs a point and about 10 ms a pull request on GitHub's side; hydration opens
seven per pull request (90 ms each), so 21 of them cost a point. Documents that alias a varying number of things are
made by functions; names, cursors and ids always travel as variables.
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from collections.abc import Sequence

RATE_LIMIT = "rateLimit { cost limit remaining used resetAt }"

ENTRY = """
fragment Entry on PullRequest { id number state createdAt updatedAt mergedAt closedAt }
"""

LIST_FIELDS = {
    "labels": "nodes { name }",
    "assignees": "nodes { login }",
    "closingIssuesReferences": "nodes { number repository { nameWithOwner } }",
    "reviews": "nodes { id state submittedAt body author { __typename login } }",
    "commits": "nodes { commit { oid message authoredDate committedDate author { name email user { login } } } }",
    "files": "nodes { path additions deletions changeType }",
}
"""The lists of a pull request that are read to their end, and what is asked of each entry."""

READY_AT = """
timelineItems(last: 1, itemTypes: [READY_FOR_REVIEW_EVENT]) { nodes { ... on ReadyForReviewEvent { createdAt } } }
"""

SCALARS = """
id number title body state isDraft createdAt updatedAt mergedAt closedAt additions deletions changedFiles
totalCommentsCount headRefName baseRefName author { __typename login } mergedBy { login } milestone { title }
repository { nameWithOwner }
"""

LISTS_PER_PULL_REQUEST = len(LIST_FIELDS) + 1
"""Connections that hydration opens per pull request: the lists, and the timeline for `ready_at`."""


def _list(name: str, first: str = "100", after: str = "") -> str:
    arguments = f"first: {first}" + (f", after: {after}" if after else "")
    return f"{name}({arguments}) {{ totalCount pageInfo {{ hasNextPage endCursor }} {LIST_FIELDS[name]} }}"


WALK = f"""
query Walk($owner: String!, $name: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    id nameWithOwner
    pullRequests(first: $first, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ ...Entry }}
    }}
  }}
  {RATE_LIMIT}
}}
{ENTRY}"""
"""One page of a repository's pull requests, last updated first."""

HYDRATE = f"""
query Hydrate($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on PullRequest {{ {SCALARS} {" ".join(map(_list, LIST_FIELDS))} {READY_AT} }} }}
  {RATE_LIMIT}
}}"""
"""Pull requests with all their lists, by id; of several repositories at once."""

HYDRATE_SCALARS = f"""
query HydrateScalars($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on PullRequest {{ {SCALARS} {READY_AT} }} }}
  {RATE_LIMIT}
}}"""
"""The same without the lists, for a pull request that GitHub cannot give whole; its lists are then asked one by one."""

EXISTENCE = f"""
query Existence($ids: [ID!]!, $owner: String!, $name: String!) {{
  nodes(ids: $ids) {{ id }}
  repository(owner: $owner, name: $name) {{ id }}
  {RATE_LIMIT}
}}"""
"""Which of these ids still exist, and whether their repository can be read: only then is a missing one deleted."""

KNOWN_ID = f"query KnownId($ids: [ID!]!) {{ nodes(ids: $ids) {{ id }} {RATE_LIMIT} }}"
"""What GitHub calls today what it once gave this id: ids of the older form are still understood."""

IDENTITY = f"query Identity {{ viewer {{ login }} {RATE_LIMIT} }}"
"""Whose budget a token spends; also the cheapest question there is, so it tells an outage from a heavy query."""


def list_pages(names: Sequence[str]) -> str:
    """The next page of one list each of several pull requests: variables `id{i}`, `after{i}` and `first`."""
    variables = " ".join(f"$id{i}: ID! $after{i}: String" for i in range(len(names)))
    pages = "\n".join(
        f"  page{i}: node(id: $id{i}) {{ ... on PullRequest {{ id updatedAt {_list(name, '$first', f'$after{i}')} }} }}"
        for i, name in enumerate(names)
    )
    return f"query ListPages($first: Int! {variables}) {{\n{pages}\n  {RATE_LIMIT}\n}}"


def look(repositories: int) -> str:
    """The newest entries of several repositories in one answer: variables `owner{i}`, `name{i}` and `first`."""
    variables = " ".join(f"$owner{i}: String! $name{i}: String!" for i in range(repositories))
    looks = "\n".join(
        f"""  look{i}: repository(owner: $owner{i}, name: $name{i}) {{
    id nameWithOwner
    pullRequests(first: $first, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ ...Entry }}
    }}
  }}"""
        for i in range(repositories)
    )
    return f"query Look($first: Int! {variables}) {{\n{looks}\n  {RATE_LIMIT}\n}}\n{ENTRY}"


def survey(repositories: int) -> str:
    """How many pull requests a search finds for each of several repositories: variables `search{i}`.

    Search is soft (its index lags, renamed repositories are refused), so it only orders and estimates.
    """
    variables = " ".join(f"$search{i}: String!" for i in range(repositories))
    counts = "\n".join(
        f"  count{i}: search(query: $search{i}, type: ISSUE, first: 1) {{ issueCount }}" for i in range(repositories)
    )
    return f"query Survey({variables}) {{\n{counts}\n  {RATE_LIMIT}\n}}"


DOCUMENTS = {
    "walk": WALK,
    "hydrate": HYDRATE,
    "hydrate_scalars": HYDRATE_SCALARS,
    "existence": EXISTENCE,
    "identity": IDENTITY,
    "known_id": KNOWN_ID,
    "list_pages": list_pages(tuple(LIST_FIELDS)),
    "look": look(2),
    "survey": survey(2),
}
"""Every document that this program can send (samples of the aliased ones), for checks against the official schema."""
