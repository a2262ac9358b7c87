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
        month date not null check (extract(day from month) = 1),
        repository text not null,
        metric text not null,
        segment text not null default '*',
        value double precision,
        n integer not null check (n >= 0),
        unit text not null,
        is_enough boolean not null,
        is_complete boolean not null,
        computed_at timestamptz not null,
        is_open boolean not null,
        repositories integer not null,
        repositories_complete integer not null check (repositories_complete <= repositories),
        same_days_value double precision,
        same_days_n integer check (same_days_n >= 0),
        same_days_year_value double precision,
        same_days_year_n integer check (same_days_year_n >= 0),
        primary key (team_id, month, repository, metric, segment)
    );
    create index monthly_trends_of_teams on monthly_trends (month, metric) where repository = '*' and segment = '*';
    create index monthly_trends_series on monthly_trends (team_id, metric, segment, repository, month);

    create table metric_trends (
        team_id text not null references teams on delete cascade,
        repository text not null,
        metric text not null,
        segment text not null default '*',
        as_of_month date not null check (extract(day from as_of_month) = 1),
        change_previous double precision,
        change_year double precision,
        slope_per_month double precision,
        p_value double precision check (p_value between 0 and 1),
        direction text check (direction in ('improving', 'worsening', 'flat', 'too little data')),
        movement text not null check (movement in ('rising', 'falling', 'steady', 'too little data')),
        value double precision,
        n integer not null,
        previous_value double precision,
        previous_n integer,
        year_value double precision,
        year_n integer,
        change_unit text not null check (change_unit in ('percent', 'percentage points')),
        compared_with text not null check (compared_with in ('month', 'same days')),
        months_used integer not null,
        is_open boolean not null,
        is_complete boolean not null,
        computed_at timestamptz not null,
        primary key (team_id, repository, metric, segment, as_of_month)
    );

    create table monthly_benchmarks (
        month date not null check (extract(day from month) = 1),
        metric text not null,
        team_size_bucket text not null check (team_size_bucket in ('1-10', '11-50', '51-200', '201+')),
        teams integer not null check (teams >= 5),
        p25 double precision,
        p50 double precision,
        p75 double precision,
        p90 double precision,
        computed_at timestamptz not null default now(),
        primary key (month, metric, team_size_bucket)
    );

    create table team_standings (
        team_id text not null references teams on delete cascade,
        month date not null check (extract(day from month) = 1),
        metric text not null,
        team_size_bucket text not null,
        teams integer not null check (teams >= 5),
        value double precision not null,
        better_than_share double precision check (better_than_share between 0 and 1),
        computed_at timestamptz not null default now(),
        primary key (team_id, month, metric)
    );
    """)
