"""docs/tables.md from the comments in the database: `python -m historical_sync.warehouse.documentation` writes it anew.

It asks a database of its own, made for the purpose: what the migrations make is what the page describes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from historical_sync.warehouse.embedded import EmbeddedPostgres
from historical_sync.warehouse.postgres import Transaction, Warehouse
from historical_sync.warehouse.schema import migrate

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "tables.md"

CONTRACT = (
    "teams",
    "tracked_repositories",
    "repository_months",
    "pull_requests",
    "pull_request_commits",
    "pull_request_reviews",
    "pull_request_files",
    "ai_evidence",
    "llm_batches",
    "llm_classifications",
    "monthly_trends",
    "metric_trends",
    "monthly_benchmarks",
)
"""The tables that programs of others may read and, for the first two, insert into."""

RELATIONS = """
select c.relname as name, obj_description(c.oid, 'pg_class') as comment,
    (
        select string_agg(a.attname, ', ' order by array_position(i.indkey::smallint[], a.attnum))
        from pg_catalog.pg_index i
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
        where i.indrelid = c.oid and i.indisprimary
    ) as key,
    (
        select jsonb_agg(jsonb_build_object(
            'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'comment', col_description(c.oid, a.attnum)
        ) order by a.attnum)
        from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) as columns
from pg_catalog.pg_class c
where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p', 'v')
order by c.relname
"""


def page(tx: Transaction) -> str:
    """The text of docs/tables.md for a migrated database."""
    tables = {row["name"]: row for row in tx.rows(RELATIONS, ["historical_sync"])}
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
    template = environment.from_string((HERE / "tables.md.jinja").read_text("utf-8"))
    internal: list[dict[str, Any]] = [row for name, row in tables.items() if name not in CONTRACT]
    return template.render(
        views=tx.rows(RELATIONS, ["dashboard"]),
        contract=[tables[name] for name in CONTRACT],
        internal=internal,
    )


def write() -> None:
    """Migrate an empty database and write the page from it."""
    with tempfile.TemporaryDirectory(prefix="historical_sync_tables_") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", settings={"fsync": "off"})
        server.start()
        try:
            migrate(server.url())
            warehouse = Warehouse(server.url())
            with warehouse.transaction() as tx:
                PAGE.write_text(page(tx), "utf-8")
            warehouse.close()
        finally:
            server.stop()


if __name__ == "__main__":
    write()
