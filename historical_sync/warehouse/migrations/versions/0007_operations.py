"""What running it needs: the attempts at every (team, month), the processes at work, and alerts to deliver."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create table team_months (
        team_id text not null references teams on delete cascade,
        month date not null check (extract(day from month) = 1),
        attempts integer not null default 0 check (attempts >= 0),
        attempted_at timestamptz,
        next_attempt_at timestamptz,
        run_id text,
        published_at timestamptz,
        asked_at timestamptz,
        is_urgent boolean not null default false,
        error text,
        primary key (team_id, month)
    );
    comment on table team_months is
        'One row per partition that was ever begun: attempts since it was last complete, when the next one is due, '
        'when its trends were last published, and when a person asked for it.';

    create table run_workers (
        run_id text primary key,
        team_id text references teams on delete cascade,
        host text not null,
        pid integer not null,
        process_started_at double precision not null,
        seen_at timestamptz not null
    );
    comment on table run_workers is
        'The process behind every run in progress, so that a run whose process is gone is known to be.';

    create table alerts (
        alert_id bigint generated always as identity primary key,
        team_id text not null,
        key text not null,
        kind text not null check (kind in (
            'onboarding_started', 'repository_completed', 'newest_month_ready', 'history_complete', 'failure'
        )),
        payload jsonb not null,
        created_at timestamptz not null default now(),
        attempts integer not null default 0,
        next_attempt_at timestamptz not null default now(),
        delivered_at timestamptz,
        error text,
        unique (team_id, key)
    );
    comment on table alerts is
        'One row per thing to tell the product around it: the outbox that the sensor deliver_alerts empties.';
    create index alerts_undelivered on alerts (next_attempt_at) where delivered_at is null;

    create table team_refreshes (
        team_id text primary key references teams on delete cascade,
        begun_at timestamptz not null,
        ended_at timestamptz,
        changed_months integer,
        error text
    );
    comment on table team_refreshes is 'The last refresh of every loaded team.';

    alter table teams add column refresh_hours integer not null default 6 check (refresh_hours between 1 and 168);
    comment on column teams.refresh_hours is 'How often a loaded team is refreshed, in hours.';

    select protect('team_months', true);
    select protect('team_refreshes', true);
    select protect('run_workers', false);
    select protect('alerts', false);
    select protect('former_teams', false);
    """)
