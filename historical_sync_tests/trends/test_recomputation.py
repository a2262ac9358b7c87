"""An independent recomputation in pandas agrees with every stored value: on made-up, sandbox and real pull requests."""

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from historical_sync.ai_usage.retagging import tag_month
from historical_sync.records import ChangedFile, Commit, PullRequest, Review
from historical_sync.trends.metrics import METRICS
from historical_sync.trends.publication import publish_month
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync.window import first_of_month, months_between, months_touched
from historical_sync_tests.factories import add_team, at, make_pull_request, make_review
from historical_sync_tests.trends.recomputation import Values, month_span, read_raw, recompute, whole_frame

TYPES = ("feature", "bugfix", "refactor", "docs", "test", "chore", "ci")
USAGES = ("authored", "assisted", "reviewed", "brainstorm", "none")


def stored_values(tx: Transaction, team_id: str, month: date) -> Values:
    rows = tx.rows("select * from monthly_trends where team_id = %s and month = %s", [team_id, month])
    return {(row["repository"], row["metric"], row["segment"]): (row["value"], row["n"]) for row in rows}


def assert_agrees(warehouse: Warehouse, team_id: str, months: Iterable[date]) -> int:
    """Compare month by month; returns how many values that are not null agreed."""
    agreed = 0
    with warehouse.transaction() as tx:
        raw = read_raw(tx, team_id)
        prs = whole_frame(raw)
        for month in months:
            stored = stored_values(tx, team_id, month)
            expected = recompute(prs, list(raw["tracked_repositories"]["repository"]), *month_span(month))
            assert expected.keys() <= stored.keys(), sorted(expected.keys() - stored.keys())[:5]
            for key in stored.keys() - expected.keys():
                assert key[2].startswith(("tool:", "made_with:", "technology:")), key
                assert stored[key][0] in (None, 0), key
            for key, (value, n) in expected.items():
                assert stored[key][1] == n, (month, key)
                assert (stored[key][0] is None) == (value is None), (month, key)
                assert value is None or stored[key][0] == pytest.approx(value, rel=1e-9, abs=1e-9), (month, key)
                agreed += value is not None
    return agreed


def publish_all(warehouse: Warehouse, team_id: str, pull_requests: list[PullRequest], now: datetime) -> list[date]:
    moments = [moment for one in pull_requests for moment in (one.created_at, one.closed_at) if moment]
    months = list(months_between(first_of_month(min(moments)), first_of_month(max(moments))))
    for month in months:
        publish_month(warehouse, team_id, month, now=now)
    return months


def store(warehouse: Warehouse, team_id: str, pull_requests: list[PullRequest]) -> None:
    with warehouse.transaction() as tx:
        add_team(tx, team_id, *sorted({one.repository for one in pull_requests}))
        for start in range(0, len(pull_requests), 500):
            upsert_pull_requests(tx, team_id, pull_requests[start : start + 500])


def classify_by_dice(warehouse: Warehouse, team_id: str, keys: list[tuple[str, int]], seed: int) -> None:
    """Answers of every kind: none, pending, unclassified, sure and unsure verdicts, odd summaries."""
    dice = random.Random(seed)
    with warehouse.transaction() as tx:
        tx.execute_values(
            "insert into llm_classifications (team_id, repository, number, status, is_ai_assisted, tools, usage_type, "
            "confidence, summary_type, llm_summary) values %s",
            [answer for key in keys if (answer := _answer(team_id, *key, dice))],
        )


def _answer(team_id: str, repository: str, number: int, dice: random.Random) -> tuple[Any, ...] | None:
    status = dice.choice(("none", "pending", "unclassified", "classified", "classified", "classified"))
    if status == "none":
        return None
    if status != "classified":
        return (team_id, repository, number, status, None, [], None, None, None, None)
    usage = dice.choice(USAGES)
    tech = {
        "languages": dice.sample(["Python", "Go", "go", "SQL"], 2),
        "frameworks": dice.choice([[], ["Django"], ["python"]]),
        "categories": ["backend"],
    }
    is_assisted = usage in ("authored", "assisted")
    return (
        team_id,
        repository,
        number,
        status,
        is_assisted,
        dice.sample(["claude", "cursor", "generic"], dice.randint(0, 2)) if is_assisted else [],
        usage,
        dice.choice([0.2, 0.49, 0.5, 0.8, 1.0]),
        dice.choice((*TYPES, None)),
        json.dumps(dice.choice([{"tech": tech}, {"tech": tech}, {"tech": {}}, {}])),
    )


def invented(seed: int, count: int) -> list[PullRequest]:
    """Pull requests with every awkward timing: drafts, self-reviews, bots, ghosts, rebases, reopened and open ones."""
    dice = random.Random(seed)
    return [_invented(dice, number) for number in range(1, count + 1)]


def _invented(dice: random.Random, number: int) -> PullRequest:
    created = at("2025-01-01") + timedelta(hours=dice.uniform(0, 24 * 150))
    state = dice.choice(["MERGED"] * 6 + ["CLOSED", "OPEN"])
    ended = created + timedelta(hours=dice.expovariate(1 / 60)) if state != "OPEN" else None
    ready = created + timedelta(hours=dice.uniform(0, 20)) if dice.random() < 0.3 else None
    author = dice.choice(["ada", "Grace", "linus", None, "dependabot"])
    return make_pull_request(
        repository=dice.choice(["acme/api", "acme/web"]),
        number=number,
        state=state,
        is_draft=state == "OPEN" and dice.random() < 0.5,
        author_login=author,
        author_type="Bot" if author == "dependabot" else "User",
        title=dice.choice(["Add it", 'Revert "Add it"', "hotfix: mend it", "Mend it"]),
        created_at=created,
        ready_at=min(ready, ended) if ready and ended else ready,
        merged_at=ended if state == "MERGED" else None,
        closed_at=ended,
        first_commit_at=dice.choice([None, created - timedelta(hours=5), created + timedelta(hours=1), created]),
        additions=dice.choice([0, 5, 10, 11, 50, 51, 200, 201, 500, 501]),
        deletions=0,
        reviews=tuple(_review(dice, f"R{number}-{index}", created) for index in range(dice.randint(0, 4))),
    )


def _review(dice: random.Random, review_id: str, created: datetime) -> Review:
    login = dice.choice(["ada", "grace", "LINUS", None, "coderabbitai", "helper[bot]"])
    return make_review(
        review_id=review_id,
        reviewer_login=login,
        reviewer_type={"coderabbitai": "Bot", None: None}.get(login, "User"),
        state=dice.choice(["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]),
        submitted_at=dice.choice([None, *[created + timedelta(hours=dice.expovariate(1 / 20))] * 5]),
    )


def evidence_by_dice(warehouse: Warehouse, team_id: str, keys: list[tuple[str, int]], seed: int) -> None:
    dice = random.Random(seed)
    roles = ["author", "reviewer", "suggestion", "automation"]
    rows = [
        (team_id, *key, f"s{position}", source, position, tool, dice.choice(roles), strength, "grace", "v")
        for key in keys
        for position in range(dice.choice([0, 0, 1, 2]))
        for source in dice.choices(["author", "body", "reviewer"])
        for tool in dice.choices(["claude", "devin"])
        for strength in dice.choices(["exact", "mention"])
    ]
    with warehouse.transaction() as tx:
        tx.execute_values(
            "insert into ai_evidence (team_id, repository, number, signature_id, source, position, tool, role, "
            "strength, quote, ruleset_version) values %s",
            rows,
        )
        tx.execute(
            "update pull_requests set is_automation = coalesce(author_login = 'dependabot', false), "
            "is_revert = title like 'Revert%%', is_hotfix = title like 'hotfix%%' where team_id = %s",
            [team_id],
        )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_invented_pull_requests(warehouse: Warehouse, seed: int) -> None:
    """Thrown dice reach corners that no story tells; every value of every month and segment agrees."""
    pull_requests = invented(seed, 400)
    keys = [(one.repository, one.number) for one in pull_requests]
    store(warehouse, "acme", pull_requests)
    evidence_by_dice(warehouse, "acme", keys, seed)
    classify_by_dice(warehouse, "acme", keys, seed)
    months = publish_all(warehouse, "acme", pull_requests, at("2026-01-01"))
    assert assert_agrees(warehouse, "acme", months) > 2000


def test_every_metric_is_recomputed(warehouse: Warehouse) -> None:
    """A metric that is added to the table has to be added to the recomputation, or nothing vouches for it."""
    pull_requests = invented(4, 150)
    store(warehouse, "acme", pull_requests)
    publish_all(warehouse, "acme", pull_requests, at("2026-01-01"))
    classify_by_dice(warehouse, "acme", [(one.repository, one.number) for one in pull_requests], 4)
    evidence_by_dice(warehouse, "acme", [(one.repository, one.number) for one in pull_requests], 4)
    with warehouse.transaction() as tx:
        expected = recompute(whole_frame(read_raw(tx, "acme")), [], *month_span(date(2025, 2, 1)))
    assert {metric for _, metric, _ in expected} == {metric.name for metric in METRICS}


PLAIN_FIELDS = ("number", "title", "state", "is_draft", "additions", "deletions", "changed_files")
PLAIN_FIELDS += ("head_ref", "base_ref", "labels", "assignees")


def corpus_pull_requests(folder: Path) -> Iterator[PullRequest]:
    for path in sorted((folder / "prs").glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                yield _from_corpus(json.loads(line))


def _from_corpus(record: dict[str, Any]) -> PullRequest:
    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC) if text else None

    commits = tuple(
        Commit(
            one["oid"],
            one["message"],
            moment(one["authored_at"]),
            moment(one["committed_at"]),
            one["author"]["login"],
            one["author"]["name"],
            one["author"]["email"],
        )
        for one in record["commits"]
    )
    author = record["author"] or {}
    return make_pull_request(
        repository=record["repo"],
        node_id=f"{record['repo']}#{record['number']}",
        author_login=author.get("login"),
        author_type=author.get("type"),
        **{name: record[name] for name in PLAIN_FIELDS},
        body=record["body"] or "",
        **{f"{name}_at": moment(record[f"{name}_at"]) for name in ("created", "updated", "merged", "closed")},
        first_commit_at=min((one.authored_at for one in commits if one.authored_at), default=None),
        commits=tuple({one.oid: one for one in commits}.values()),
        reviews=tuple(
            Review(
                f"R{index}",
                (one["author"] or {}).get("login"),
                (one["author"] or {}).get("type"),
                one["state"],
                moment(one["submitted_at"]),
                one["body"] or "",
            )
            for index, one in enumerate(record["reviews"])
        ),
        files=tuple(
            {
                one["path"]: ChangedFile(one["path"], one["additions"], one["deletions"], one["change_type"])
                for one in record["files"]
            }.values()
        ),
    )


MONTHS_OF_CORPUS = [date(2025, 9, 1), date(2026, 1, 1), date(2026, 4, 1), date(2026, 7, 1)]
"""Four months say as much as all thirteen, in a third of the time."""


@pytest.mark.corpus
@pytest.mark.timeout(900)
def test_real_pull_requests(warehouse: Warehouse, corpus: Path) -> None:
    """On thousands of real pull requests, tagged as the pipeline tags them, every value agrees."""
    wanted = set(MONTHS_OF_CORPUS)
    pull_requests = [
        one for one in corpus_pull_requests(corpus) if wanted & months_touched(one.created_at, one.closed_at)
    ]
    store(warehouse, "corpus", pull_requests)
    for month in MONTHS_OF_CORPUS:
        tag_month(warehouse, "corpus", month)
    classify_by_dice(warehouse, "corpus", [(one.repository, one.number) for one in pull_requests], 5)
    for month in MONTHS_OF_CORPUS:
        publish_month(warehouse, "corpus", month, now=at("2026-11-01"))
    assert assert_agrees(warehouse, "corpus", MONTHS_OF_CORPUS) > 5_000
