"""The registry: adding is idempotent, names are checked, a removed team leaves nothing but its generation."""

from datetime import date

import pytest

from historical_sync.errors import ConfigurationError
from historical_sync.warehouse.postgres import Warehouse
from historical_sync.warehouse.pull_requests import upsert_pull_requests
from historical_sync.warehouse.registry import (
    add_team,
    list_teams,
    read_team,
    remove_repository,
    remove_team,
    rows_of_team,
    set_status,
    tables_with_team,
    tracked_repositories,
)
from historical_sync_tests.factories import make_file, make_pull_request


def test_adding_twice_adds_what_is_missing(warehouse: Warehouse) -> None:
    """A second `add_team` adds only repositories that are new, whatever their case, and changes only what is given."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"], history_months=24, token_ref="env:ACME_TOKEN")
        team = add_team(tx, "acme", ["Acme/API", "acme/web"], display_name="Acme")
        assert [one.repository for one in tracked_repositories(tx, "acme")] == ["acme/api", "acme/web"]
    assert (team.generation, team.history_months, team.display_name) == (1, 24, "Acme")
    assert team.github_token_ref == "env:ACME_TOKEN"


def test_the_busiest_repository_comes_first(warehouse: Warehouse) -> None:
    """Repositories are in order of their recent pull requests; one whose activity is unknown comes last."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/unknown", "acme/quiet", "acme/busy"])
        for repository, count in (("acme/quiet", 3), ("acme/busy", 300)):
            tx.execute("update tracked_repositories set recent_prs = %s where repository = %s", [count, repository])
        assert [one.repository for one in tracked_repositories(tx, "acme")] == [
            "acme/busy",
            "acme/quiet",
            "acme/unknown",
        ]


@pytest.mark.parametrize(
    ("team_id", "repositories", "history_months", "token_ref", "words"),
    [
        ("Acme", ["acme/api"], None, None, "no team name"),
        ("-acme", ["acme/api"], None, None, "no team name"),
        ("a" * 41, ["acme/api"], None, None, "no team name"),
        ("acme'; drop table teams; --", ["acme/api"], None, None, "no team name"),
        ("acme", ["acme"], None, None, "no repository"),
        ("acme", ["acme/api/more"], None, None, "no repository"),
        ("acme", ["acme/a b"], None, None, "no repository"),
        ("acme", [], None, None, "at least one repository"),
        ("acme", ["acme/api"], 241, None, "240 months"),
        ("acme", ["acme/api"], -1, None, "240 months"),
        ("acme", ["acme/api"], None, "ghp_abcdefghijklmnop", "no token reference"),
    ],
)
def test_what_is_not_well_formed_is_refused(
    warehouse: Warehouse,
    team_id: str,
    repositories: list[str],
    history_months: int | None,
    token_ref: str | None,
    words: str,
) -> None:
    """A bad name, number or token reference is refused with what is wrong; nothing is stored, no token is repeated."""
    with pytest.raises(ConfigurationError, match=words) as caught, warehouse.transaction() as tx:
        add_team(tx, team_id, repositories, history_months=history_months, token_ref=token_ref)
    assert "ghp_" not in f"{caught.value} {caught.value.remedy}"
    with warehouse.transaction() as tx:
        assert list_teams(tx) == []


@pytest.mark.parametrize("team_id", ["a", "0", "acme-web_2", "a" * 40])
def test_the_shortest_and_the_longest_name_pass(warehouse: Warehouse, team_id: str) -> None:
    """Names at the edge of what is allowed are allowed."""
    with warehouse.transaction() as tx:
        assert add_team(tx, team_id, ["acme/next.js"]).team_id == team_id


def test_an_unknown_team_says_how_to_find_the_known_ones(warehouse: Warehouse) -> None:
    """Reading a team that is not there names the command that lists them."""
    with warehouse.transaction() as tx, pytest.raises(ConfigurationError) as caught:
        read_team(tx, "nobody")
    assert "team list" in caught.value.remedy


def test_removal_leaves_no_row_and_counts_what_it_took(warehouse: Warehouse) -> None:
    """After a removal every table with a team holds nothing of it; another team keeps everything; twice is no error."""
    with warehouse.transaction() as tx:
        for team_id in ("acme", "other"):
            add_team(tx, team_id, ["acme/api"])
            upsert_pull_requests(tx, team_id, [make_pull_request(files=(make_file(),))])
            tx.execute("insert into team_months (team_id, month) values (%s, %s)", [team_id, date(2025, 3, 1)])
        before = rows_of_team(tx, "other")
        gone = remove_team(tx, "acme")
        assert (gone["teams"], gone["pull_requests"], gone["pull_request_files"], gone["team_months"]) == (1, 1, 1, 1)
        assert not any(rows_of_team(tx, "acme").values())
        assert rows_of_team(tx, "other") == before
        assert remove_team(tx, "acme") == {}


def test_every_table_with_a_team_is_counted(warehouse: Warehouse) -> None:
    """The proof of a removal looks into each table that has a column team_id, so a new table cannot be forgotten."""
    with warehouse.transaction() as tx:
        tx.execute("create table later_addition (team_id text, note text)")
        assert {"teams", "pull_requests", "team_months", "alerts", "later_addition"} <= set(tables_with_team(tx))


def test_a_team_that_comes_back_is_another_one(warehouse: Warehouse) -> None:
    """A team removed and added again has the next generation, by command or by plain SQL; a new name starts at one."""
    with warehouse.transaction() as tx:
        assert add_team(tx, "acme", ["acme/api"]).generation == 1
        remove_team(tx, "acme")
        assert add_team(tx, "acme", ["acme/api"]).generation == 2
        assert add_team(tx, "acme", ["acme/web"]).generation == 2, "adding to a team is no new life"
        remove_team(tx, "acme")
        tx.execute("insert into teams (team_id) values ('acme')")
        assert read_team(tx, "acme").generation == 3
        assert add_team(tx, "other", ["acme/api"]).generation == 1


def test_a_team_being_removed_cannot_be_brought_back(warehouse: Warehouse) -> None:
    """Between the first and the last step of a removal a team can be neither resumed nor added to."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api"])
        assert set_status(tx, "acme", "paused").status == "paused"
        assert set_status(tx, "acme", "active").status == "active"
        set_status(tx, "acme", "offboarding")
        with pytest.raises(ConfigurationError):
            set_status(tx, "acme", "active")
        with pytest.raises(ConfigurationError):
            add_team(tx, "acme", ["acme/web"])


def test_a_repository_is_removed_with_its_rows(warehouse: Warehouse) -> None:
    """Taking a repository from a team deletes its pull requests and leaves the other repository's."""
    with warehouse.transaction() as tx:
        add_team(tx, "acme", ["acme/api", "acme/web"])
        upsert_pull_requests(tx, "acme", [make_pull_request(), make_pull_request(repository="acme/web")])
        assert remove_repository(tx, "acme", "ACME/api")
        assert tx.value("select array_agg(repository) from pull_requests") == ["acme/web"]
        assert not remove_repository(tx, "acme", "acme/api")
