"""Teams, their repositories, and the state of every (repository, month)."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create table teams (
        team_id text primary key check (team_id ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
        generation integer not null default 1 check (generation >= 1),
        display_name text,
        status text not null default 'active' check (status in ('active', 'paused', 'offboarding')),
        history_months integer not null default 12 check (history_months between 0 and 240),
        github_token_ref text check (github_token_ref ~ '^(env|file|app):.+'),
        created_at timestamptz not null default now(),
        onboarding_started_at timestamptz,
        onboarded_at timestamptz
    );

    create table former_teams (
        team_id text primary key,
        generation integer not null
    );
    comment on table former_teams is
        'The last generation of every team that was removed: a team that comes back gets the next one.';

    create function begin_generation() returns trigger language plpgsql set search_path = historical_sync as $$
    begin
        new.generation := greatest(
            new.generation, 1 + coalesce((select generation from former_teams where team_id = new.team_id), 0)
        );
        return new;
    end $$;
    create trigger teams_begin_generation before insert on teams
        for each row execute function begin_generation();

    create function end_generation() returns trigger language plpgsql set search_path = historical_sync as $$
    begin
        insert into former_teams (team_id, generation) values (old.team_id, old.generation)
        on conflict (team_id) do update set generation = excluded.generation;
        return null;
    end $$;
    create trigger teams_end_generation after delete on teams
        for each row execute function end_generation();

    create table tracked_repositories (
        team_id text not null references teams on delete cascade,
        repository text not null check (repository ~ '^[^/[:space:]]+/[^/[:space:]]+$'),
        node_id text,
        current_name text,
        sync_status text not null default 'pending'
            check (sync_status in ('pending', 'syncing', 'completed', 'failed')),
        sync_progress integer not null default 0 check (sync_progress between 0 and 100),
        sync_prs_total integer check (sync_prs_total >= 0),
        sync_prs_completed integer not null default 0 check (sync_prs_completed >= 0),
        sync_started_at timestamptz,
        sync_error text,
        last_synced_at timestamptz,
        recent_prs integer check (recent_prs >= 0),
        added_at timestamptz not null default now(),
        primary key (team_id, repository)
    );
    create unique index tracked_repositories_without_case on tracked_repositories (team_id, lower(repository));

    create table repository_months (
        team_id text not null,
        repository text not null,
        month date not null check (extract(day from month) = 1),
        expected integer check (expected >= 0),
        stored integer check (stored >= 0),
        status text not null default 'pending' check (status in ('pending', 'completed', 'partial', 'failed')),
        error text,
        complete_as_of timestamptz,
        completed_at timestamptz,
        attempts integer not null default 0 check (attempts >= 0),
        attempted_at timestamptz,
        primary key (team_id, repository, month),
        foreign key (team_id, repository) references tracked_repositories on delete cascade,
        check (status <> 'completed' or (expected = stored and expected is not null))
    );
    create index repository_months_by_month on repository_months (team_id, month);
    """)
