"""Benchmarks look at every team, so with many teams they are computed by and by; which months wait stands here."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create table benchmark_months (
        month date primary key check (extract(day from month) = 1),
        is_stale boolean not null,
        refreshed_at timestamptz
    );
    comment on table benchmark_months is 'Months whose benchmarks wait to be computed anew, and when they last were.';
    create index team_standings_by_month on team_standings (month);
    """)
