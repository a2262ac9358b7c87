"""Monthly values, their directions, and what other teams' values are."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create table monthly_trends (
        team_id text not null references teams on delete cascade,
        month date not null,
        repository text not null,
        metric text not null,
        segment text not null default '*',
        value double precision,
        n integer not null,
        unit text not null,
        is_enough boolean not null,
        is_complete boolean not null,
        computed_at timestamptz not null,
        primary key (team_id, month, repository, metric, segment)
    );

    create table metric_trends (
        team_id text not null references teams on delete cascade,
        repository text not null,
        metric text not null,
        segment text not null default '*',
        as_of_month date not null,
        change_previous double precision,
        change_year double precision,
        slope_per_month double precision,
        p_value double precision,
        direction text not null check (direction in ('improving', 'worsening', 'flat', 'too little data')),
        primary key (team_id, repository, metric, segment, as_of_month)
    );

    create table monthly_benchmarks (
        month date not null,
        metric text not null,
        team_size_bucket text not null,
        teams integer not null,
        p25 double precision,
        p50 double precision,
        p75 double precision,
        p90 double precision,
        primary key (month, metric, team_size_bucket)
    );
    """)
