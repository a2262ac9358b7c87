"""Two teams, and every way to read across: views, raw tables, settings, pooled connections, roles, functions, names."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import psycopg2.extensions
import pytest

from historical_sync.errors import WarehouseError
from historical_sync.warehouse.access import PAGE_ROLE, team_transaction
from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.schema import migrate
from historical_sync_tests.conftest import run_sql
from historical_sync_tests.factories import at, make_pull_request, make_review
from historical_sync_tests.trends.numbers import complete, publish, store

MARCH = at("2025-03-01").date()
MINE, THEIRS = "acme", "rival"
SECRET = "rival/secret-project"


@pytest.fixture
def two_teams(warehouse: Warehouse) -> Warehouse:
    """Two teams with a row in every table that a team may read."""
    for team_id, repository in ((MINE, "acme/api"), (THEIRS, SECRET)):
        store(warehouse, make_pull_request(repository=repository, reviews=(make_review(),)), team_id=team_id)
        with warehouse.transaction() as tx:
            complete(tx, repository, MARCH, team_id=team_id)
            key = {"team_id": team_id, "repository": repository}
            tx.execute(
                "insert into ai_evidence values (%(team_id)s, %(repository)s, 1, 's', 'body', 0, 'claude', 'author', "
                "'exact', 'words', 'v1')",
                key,
            )
            tx.execute(
                "insert into llm_classifications (team_id, repository, number, status) "
                "values (%(team_id)s, %(repository)s, 1, 'pending')",
                key,
            )
            tx.execute(
                "insert into llm_batches (batch_id, team_id, month, status, digest, model, prompt_version) "
                "values (%(team_id)s, %(team_id)s, '2025-03-01', 'completed', 'd', 'm', 'v')",
                key,
            )
            tx.execute(
                "insert into team_standings values (%(team_id)s, '2025-02-01', 'size_lines_p50', '1-10', 5, 1, 0.5)",
                key,
            )
        publish(warehouse, team_id=team_id)
    return warehouse


def relations(warehouse: Warehouse, schema: str) -> list[str]:
    """Every table and view with a team that the page's role may read."""
    with warehouse.transaction() as tx:
        rows = tx.rows(
            """
            select format('%%I.%%I', %s, c.relname) as name from pg_class c
            join pg_attribute a on a.attrelid = c.oid and a.attname = 'team_id' and c.relkind in ('r', 'p', 'v')
            where c.relnamespace = %s::regnamespace and has_column_privilege(%s, c.oid, a.attnum, 'select')
            order by 1
            """,
            [schema, schema, PAGE_ROLE],
        )
    return [row["name"] for row in rows]


def teams_in(tx: Transaction, relation: str) -> set[str]:
    return {row["team_id"] for row in tx.rows(f"select distinct team_id from {relation}")}


def test_every_view_shows_one_team(two_teams: Warehouse) -> None:
    """Asked without any filter, every view of the contract has rows of the team and of nobody else."""
    views = relations(two_teams, "dashboard")
    assert len(views) >= 7
    for view in views:
        with team_transaction(two_teams, MINE) as tx:
            assert teams_in(tx, view) == {MINE}, view
        with team_transaction(two_teams, THEIRS) as tx:
            assert teams_in(tx, view) == {THEIRS}, view


def test_every_raw_table_shows_one_team(two_teams: Warehouse) -> None:
    """The tables below the views are as safe as the views."""
    tables = relations(two_teams, "historical_sync")
    assert {"historical_sync.pull_requests", "historical_sync.teams"} <= set(tables)
    for table in tables:
        with team_transaction(two_teams, MINE) as tx:
            assert teams_in(tx, table) <= {MINE}, table


def test_asking_for_the_other_team_by_name_finds_nothing(two_teams: Warehouse) -> None:
    """A filter on the other team is an empty answer, not a way in."""
    for relation in relations(two_teams, "dashboard") + relations(two_teams, "historical_sync"):
        with team_transaction(two_teams, MINE) as tx:
            assert tx.value(f"select count(*) from {relation} where team_id = %s", [THEIRS]) == 0, relation


def test_every_table_with_a_team_is_protected(warehouse: Warehouse) -> None:
    """Whoever adds a table with a team_id has to call historical_sync.protect() on it in its migration."""
    with warehouse.transaction() as tx:
        bare = tx.rows(
            """
            select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'team_id'
            where c.relnamespace = 'historical_sync'::regnamespace and c.relkind in ('r', 'p')
                and not (c.relrowsecurity and exists (select from pg_policy p where p.polrelid = c.oid))
            """
        )
    assert bare == []


def test_no_view_bypasses_the_policies(warehouse: Warehouse) -> None:
    """Every view of `dashboard` asks with its reader's rights, and none is materialised: those leak."""
    with warehouse.transaction() as tx:
        rows = tx.rows(
            "select relname, relkind, coalesce(array_to_string(reloptions, ','), '') as options from pg_class "
            "where relnamespace = 'dashboard'::regnamespace and relkind in ('v', 'm', 'r', 'f', 'p')"
        )
    assert rows
    assert {(row["relkind"], row["options"]) for row in rows} == {("v", "security_invoker=true")}


def test_without_a_team_nothing_is_visible(two_teams: Warehouse) -> None:
    """The page's role without a team, and with an empty one, sees no row of anybody."""
    for relation in relations(two_teams, "dashboard") + relations(two_teams, "historical_sync"):
        with two_teams.transaction() as tx:
            tx.execute(f"set local role {PAGE_ROLE}")
            assert tx.value(f"select count(*) from {relation}") == 0, relation
        with team_transaction(two_teams, "") as tx:
            assert tx.value(f"select count(*) from {relation}") == 0, relation


def test_benchmarks_are_visible_whatever_the_team(two_teams: Warehouse) -> None:
    """They hold no team; fewer than five teams cannot even be stored."""
    insert = (
        "insert into monthly_benchmarks (month, metric, team_size_bucket, teams) values ('2025-03-01', 'm', '1-10', %s)"
    )
    with two_teams.transaction() as tx:
        tx.execute(insert, [5])
    with team_transaction(two_teams, MINE) as tx:
        assert tx.value("select teams from dashboard.benchmarks") == 5
    with two_teams.transaction() as tx, pytest.raises(psycopg2.errors.CheckViolation):
        tx.execute(insert.replace("'m'", "'other'"), [4])


def test_nothing_is_left_on_a_pooled_connection(two_teams: Warehouse, database_url: str) -> None:
    """One connection, reused: after a team's transaction, and after a failed one, neither role nor team is there."""
    warehouse = Warehouse(database_url, most_connections=1)
    question = "select current_user <> %s and coalesce(current_setting('app.team_id', true), '') = ''"
    with team_transaction(warehouse, MINE) as tx:
        assert teams_in(tx, "pull_requests") == {MINE}
    with warehouse.transaction() as tx:
        assert tx.value(question, [PAGE_ROLE])
    with pytest.raises(ZeroDivisionError), team_transaction(warehouse, MINE):
        raise ZeroDivisionError
    with warehouse.transaction() as tx:
        assert tx.value(question, [PAGE_ROLE])
    warehouse.close()


def test_a_leftover_of_somebody_elses_session_does_not_count(two_teams: Warehouse, database_url: str) -> None:
    """Even if a session kept the other team's name (a plain SET in a pool), the next transaction sees its own."""
    warehouse = Warehouse(database_url, most_connections=1)
    with warehouse.transaction() as tx:
        tx.execute("select set_config('app.team_id', %s, false)", [THEIRS])
    with team_transaction(warehouse, MINE) as tx:
        assert teams_in(tx, "dashboard.pull_requests") == {MINE}
    warehouse.close()


def test_many_threads_see_each_their_own(two_teams: Warehouse) -> None:
    """Two hundred transactions of both teams over eight shared connections never mix."""
    wrong: list[tuple[str, set[str]]] = []

    def look(team_id: str) -> None:
        for _ in range(25):
            with team_transaction(two_teams, team_id) as tx:
                seen = teams_in(tx, "dashboard.pull_requests")
            if seen != {team_id}:
                wrong.append((team_id, seen))

    threads = [threading.Thread(target=look, args=(team,)) for team in (MINE, THEIRS) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "name",
    [
        "acme' or '1'='1",
        "acme'; set local role postgres; --",
        "acme'); select set_config('app.team_id', 'rival', false); --",
        "%",
        "acme,rival",
        "{acme,rival}",
        "ACME",
        "acme ",
        "*",
    ],
)
def test_sql_smuggled_into_a_team_name(two_teams: Warehouse, name: str) -> None:
    """Whatever the name, it is compared with a team's and matches none."""
    with team_transaction(two_teams, name) as tx:
        assert tx.value("select count(*) from dashboard.pull_requests") == 0
        assert tx.value("select current_user") == PAGE_ROLE


@pytest.mark.parametrize("name", ["acme' or '1'='1", "Acme", "-acme", "a" * 41, ""])
def test_such_a_team_cannot_even_exist(warehouse: Warehouse, name: str) -> None:
    """The table's own rule refuses the name."""
    with warehouse.transaction() as tx, pytest.raises(psycopg2.errors.CheckViolation):
        tx.execute("insert into teams (team_id) values (%s)", [name])


def test_the_page_may_not_write(two_teams: Warehouse) -> None:
    """Reading is all it may do with the team's data, its own rows included."""
    for statement in (
        "delete from pull_requests",
        "update teams set display_name = 'x'",
        "insert into tracked_repositories (team_id, repository) values ('acme', 'a/b')",
        "insert into team_roles values ('historical_sync_reader', 'rival')",
        "truncate monthly_trends",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), team_transaction(two_teams, MINE) as tx:
            tx.execute(statement)


def test_the_reference_of_a_token_is_not_for_the_page(two_teams: Warehouse) -> None:
    """Where the token is kept is nobody's business but the pipeline's."""
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), team_transaction(two_teams, MINE) as tx:
        tx.rows("select github_token_ref from teams")


def test_tables_without_a_team_are_closed(two_teams: Warehouse) -> None:
    """Budgets, streams and identities belong to no team, and no team may read them."""
    for table in ("github_budgets", "github_identities", "github_streams"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), team_transaction(two_teams, MINE) as tx:
            tx.rows(f"select * from {table}")


@pytest.fixture
def bi_role(two_teams: Warehouse) -> Iterator[str]:
    """A login role of a BI tool, tied to the first team."""
    name = f"metabase_{threading.get_native_id()}"
    with two_teams.transaction() as tx:
        tx.execute("select historical_sync.create_team_role(%s, %s)", [name, MINE])
    yield name
    while True:
        with two_teams.transaction() as tx:
            if not tx.value("select count(*) from pg_stat_activity where usename = %s", [name]):
                tx.execute("select historical_sync.drop_team_role(%s)", [name])
                return
        time.sleep(0.01)


@contextmanager
def connected_as(url: str, role: str) -> Iterator[psycopg2.extensions.cursor]:
    """A session of its own as `role`, as a BI tool would open it."""
    connection = psycopg2.connect(url, user=role)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def seen(cursor: psycopg2.extensions.cursor, relation: str = "dashboard.pull_requests") -> set[str]:
    cursor.execute(f"select distinct team_id from {relation}")
    return {team_id for (team_id,) in cursor.fetchall()}


def test_a_bi_role_sees_its_team(two_teams: Warehouse, bi_role: str, database_url: str) -> None:
    """Every view, without any setting: the role's name is its team."""
    with connected_as(database_url, bi_role) as cursor:
        for relation in relations(two_teams, "dashboard"):
            assert seen(cursor, relation) == {MINE}, relation
        for relation in relations(two_teams, "historical_sync"):
            assert seen(cursor, relation) <= {MINE}, relation


TRICKS: dict[str, Callable[[psycopg2.extensions.cursor], None]] = {
    "setting": lambda cursor: cursor.execute(f"set app.team_id = '{THEIRS}'"),
    "set_config": lambda cursor: cursor.execute(f"select set_config('app.team_id', '{THEIRS}', false)"),
    "no row security": lambda cursor: cursor.execute("set row_security = off"),
    "reader": lambda cursor: cursor.execute("set role historical_sync_reader"),
    "reader with a setting": lambda cursor: cursor.execute(
        f"set role historical_sync_reader; set app.team_id = '{THEIRS}'"
    ),
    "own operators": lambda cursor: cursor.execute(
        f"""
        create function pg_temp.always(name, name) returns boolean language sql as 'select true';
        create operator pg_temp.= (leftarg = name, rightarg = name, function = pg_temp.always);
        set search_path = pg_temp, pg_catalog;
        set app.team_id = '{THEIRS}'
        """
    ),
    "own current_setting": lambda cursor: cursor.execute(
        f"""
        create function pg_temp.visible_team() returns text language sql as $$ select '{THEIRS}' $$;
        set search_path = pg_temp, historical_sync, pg_catalog
        """
    ),
}


@pytest.mark.parametrize("trick", TRICKS, ids=str)
def test_a_bi_role_cannot_choose_another_team(bi_role: str, database_url: str, trick: str) -> None:
    """Settings, weaker roles, switched-off security and functions of one's own show at most the role's own team."""
    with connected_as(database_url, bi_role) as cursor:
        TRICKS[trick](cursor)
        try:
            found = seen(cursor)
        except psycopg2.errors.InsufficientPrivilege:
            found = set()
        assert found <= {MINE}


def test_operators_in_a_schema_of_ones_own_do_not_help(two_teams: Warehouse, bi_role: str, database_url: str) -> None:
    """A tool that may create objects cannot make `current_user = …` true: the function was parsed before it came."""
    with two_teams.transaction() as tx:
        tx.execute(f"create schema attic authorization {bi_role}")
    try:
        with connected_as(database_url, bi_role) as cursor:
            cursor.execute(
                f"""
                create function attic.always(name, text) returns boolean language sql as 'select true';
                create function attic.always(name, name) returns boolean language sql as 'select true';
                create function attic.always(text, text) returns boolean language sql as 'select true';
                create operator attic.= (leftarg = name, rightarg = text, function = attic.always);
                create operator attic.= (leftarg = name, rightarg = name, function = attic.always);
                create operator attic.= (leftarg = text, rightarg = text, function = attic.always);
                set search_path = attic, pg_catalog;
                set app.team_id = '{THEIRS}'
                """
            )
            assert seen(cursor) == {MINE}
    finally:
        with two_teams.transaction() as tx:
            tx.execute("drop schema attic cascade")


def test_a_function_in_the_filter_sees_no_foreign_row(bi_role: str, database_url: str) -> None:
    """A cheap function in WHERE that shouts what it is given is called for the team's own rows only."""
    with connected_as(database_url, bi_role) as cursor:
        cursor.execute(
            """
            create function pg_temp.shout(text) returns boolean language plpgsql cost 0.0000001 as
            $$ begin raise notice '%', $1; return true; end $$
            """
        )
        cursor.execute("select count(*) from historical_sync.pull_requests where pg_temp.shout(repository)")
        cursor.execute("select count(*) from dashboard.pull_requests where pg_temp.shout(repository)")
        heard = "".join(cursor.connection.notices)
    assert "acme/api" in heard
    assert SECRET not in heard


@pytest.mark.parametrize(
    "statement",
    [
        "set role historical_sync_dashboard",
        "set session authorization postgres",
        "select historical_sync.create_team_role('spy', 'rival')",
        "select historical_sync.protect('historical_sync.pull_requests', true)",
        "insert into historical_sync.team_roles values (current_user, 'rival')",
        "alter table historical_sync.pull_requests disable row level security",
        "create function dashboard.f() returns int language sql as 'select 1'",
        "create policy mine on historical_sync.pull_requests using (true)",
    ],
)
def test_a_bi_role_may_not_change_the_rules(bi_role: str, database_url: str, statement: str) -> None:
    """It is no member of the page's role, and owns nothing."""
    with connected_as(database_url, bi_role) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(statement)


def test_a_bi_role_sees_no_other_role(two_teams: Warehouse, bi_role: str, database_url: str) -> None:
    """Which roles other teams have is theirs to know."""
    with two_teams.transaction() as tx:
        tx.execute("insert into team_roles values ('somebody', %s)", [THEIRS])
    with connected_as(database_url, bi_role) as cursor:
        assert seen(cursor, "historical_sync.team_roles") == {MINE}


def test_a_removed_teams_role_sees_nothing(two_teams: Warehouse, database_url: str) -> None:
    """The team goes, its role stays behind and is blind; a team that comes back under the name is not shown to it."""
    with two_teams.transaction() as tx:
        tx.execute("select historical_sync.create_team_role('old_tool', %s)", [MINE])
        tx.execute("delete from teams where team_id = %s", [MINE])
        tx.execute("insert into teams (team_id) values (%s)", [MINE])
    try:
        with connected_as(database_url, "old_tool") as cursor:
            assert seen(cursor, "historical_sync.teams") == set()
    finally:
        run_sql(database_url, "drop role old_tool")


def test_a_role_for_an_unknown_team_is_refused(warehouse: Warehouse) -> None:
    """A typing error makes no role."""
    with warehouse.transaction() as tx, pytest.raises(psycopg2.errors.RaiseException, match="no team"):
        tx.execute("select historical_sync.create_team_role('spy', 'nobody')")


def test_a_plan_under_the_policies_uses_the_index(two_teams: Warehouse) -> None:
    """The team is found once a query, and rows through the index that holds it."""
    with two_teams.transaction() as tx:
        tx.execute(
            "insert into monthly_trends (team_id, month, repository, metric, value, n, unit, is_enough, is_complete, "
            "computed_at, is_open, repositories, repositories_complete) select team_id, '2024-01-01', 'r' || i, 'm', "
            "1, 1, 'hours', true, true, now(), false, 1, 1 from teams, generate_series(1, 5000) i"
        )
        tx.execute("analyze monthly_trends")
    with team_transaction(two_teams, MINE) as tx:
        plan = "\n".join(
            row["QUERY PLAN"]
            for row in tx.rows(
                "explain select * from dashboard.monthly_trends where team_id = %s and metric = 'size_lines_p50' "
                "and segment = '*'",
                [MINE],
            )
        )
    assert "InitPlan" in plan
    assert "Index" in plan
    assert "Seq Scan on monthly_trends" not in plan


OWNER = "an_owner"


@pytest.fixture
def bare_server(postgres: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A server of its own without our roles would be dear: this one's roles are renamed for the test's length."""
    roles = ("historical_sync_reader", "historical_sync_dashboard")
    for role in roles:
        run_sql(
            postgres.url(), f"do $$ begin alter role {role} rename to was_{role}; exception when others then end $$"
        )
    yield postgres
    for role in roles:
        run_sql(postgres.url(), f"drop role if exists {role}")
        run_sql(
            postgres.url(), f"do $$ begin alter role was_{role} rename to {role}; exception when others then end $$"
        )


@contextmanager
def owned_database(server: EmbeddedPostgres, *, may_create_roles: bool) -> Iterator[str]:
    """A database whose owner is no superuser."""
    run_sql(server.url(), f"create role {OWNER} login {'createrole' if may_create_roles else ''}")
    run_sql(server.url(), f"create database owned owner {OWNER}")
    try:
        yield server.url("owned").replace("postgres@", f"{OWNER}@")
    finally:
        run_sql(server.url(), "drop database if exists owned with (force)")
        for role in ("historical_sync_dashboard", "historical_sync_reader", OWNER):
            run_sql(server.url(), f"drop role if exists {role}")


def test_an_owner_that_may_create_roles_can_migrate(bare_server: EmbeddedPostgres) -> None:
    """No superuser is needed: CREATEROLE is enough, and the owner can then act as the page's role."""
    with owned_database(bare_server, may_create_roles=True) as url:
        migrate(url)
        migrate(url)
        warehouse = Warehouse(url)
        with warehouse.transaction() as tx:
            tx.execute("insert into teams (team_id) values ('acme'), ('rival')")
            tx.execute("select historical_sync.create_team_role('its_tool', 'acme')")
        with team_transaction(warehouse, MINE) as tx:
            assert teams_in(tx, "teams") == {MINE}
        with warehouse.transaction() as tx:
            tx.execute("select historical_sync.drop_team_role('its_tool')")
        warehouse.close()


def test_an_owner_that_may_not_is_told_what_to_ask_for(bare_server: EmbeddedPostgres) -> None:
    """Without CREATEROLE the migration stops, and says what an administrator has to run; after that it passes."""
    with owned_database(bare_server, may_create_roles=False) as url:
        with pytest.raises(WarehouseError, match="CREATE ROLE historical_sync_dashboard NOLOGIN"):
            migrate(url)
        for statement in (
            "create role historical_sync_reader nologin",
            "create role historical_sync_dashboard nologin",
            "grant historical_sync_reader to historical_sync_dashboard",
            f"grant historical_sync_dashboard to {OWNER}",
        ):
            run_sql(bare_server.url(), statement)
        migrate(url)
        warehouse = Warehouse(url)
        with team_transaction(warehouse, MINE) as tx:
            assert teams_in(tx, "teams") == set()
        warehouse.close()


def test_databases_of_one_server_may_migrate_at_once(bare_server: EmbeddedPostgres) -> None:
    """Roles belong to the server: four databases that migrate at the same moment do not trip over them."""
    names = [f"together_{index}" for index in range(4)]
    for name in names:
        run_sql(bare_server.url(), f"create database {name}")
    program = "import sys; from historical_sync.warehouse.schema import migrate; migrate(sys.argv[1])"
    commands = [[sys.executable, "-c", program, bare_server.url(name)] for name in names]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    outcomes = [(process.communicate()[1], process.returncode) for process in running]
    for name in names:
        run_sql(bare_server.url(), f"drop database {name} with (force)")
    assert [code for _, code in outcomes] == [0] * 4, outcomes
