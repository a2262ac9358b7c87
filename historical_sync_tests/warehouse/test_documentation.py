"""docs/tables.md: up to date, and everything in it says what it is."""

from historical_sync.warehouse.documentation import CONTRACT, PAGE, RELATIONS, page
from historical_sync.warehouse.postgres import Warehouse


def test_the_page_is_current(warehouse: Warehouse) -> None:
    """Whoever changes a table or a comment writes the page again: python -m historical_sync.warehouse.documentation."""
    with warehouse.transaction() as tx:
        assert PAGE.read_text("utf-8") == page(tx)


def test_every_view_and_column_says_what_it_is(warehouse: Warehouse) -> None:
    """A BI tool shows these comments beside the columns."""
    with warehouse.transaction() as tx:
        views = tx.rows(RELATIONS, ["dashboard"])
    assert {view["name"] for view in views} >= {
        "pull_requests",
        "monthly_trends",
        "metric_trends",
        "benchmarks",
        "sync_progress",
    }
    assert [view["name"] for view in views if not view["comment"]] == []
    silent = [(view["name"], column["name"]) for view in views for column in view["columns"] if not column["comment"]]
    assert silent == []


def test_every_table_says_what_one_row_is(warehouse: Warehouse) -> None:
    """`comment on table` belongs into the migration that makes it."""
    with warehouse.transaction() as tx:
        tables = tx.rows(RELATIONS, ["historical_sync"])
    assert [table["name"] for table in tables if not table["comment"]] == []


PROMISED = {
    "monthly_trends": "team_id month repository metric segment value n unit is_enough is_complete computed_at",
    "metric_trends": "team_id repository metric segment as_of_month change_previous change_year slope_per_month "
    "p_value direction",
    "monthly_benchmarks": "month metric team_size_bucket teams p25 p50 p75 p90",
}


def test_the_contract_is_kept(warehouse: Warehouse) -> None:
    """The columns that were promised are there, and every table of the contract is."""
    with warehouse.transaction() as tx:
        tables = {
            row["name"]: {column["name"] for column in row["columns"]}
            for row in tx.rows(RELATIONS, ["historical_sync"])
        }
    assert set(CONTRACT) <= set(tables)
    for name, columns in PROMISED.items():
        assert set(columns.split()) <= tables[name]
