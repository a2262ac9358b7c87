"""Pull requests with their lists; the index of what GitHub has; the walks over it; the points it may cost."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create table pull_requests (
        team_id text not null,
        repository text not null,
        number integer not null,
        node_id text not null,
        title text not null,
        body text not null,
        author_login text,
        author_type text,
        state text not null check (state in ('OPEN', 'CLOSED', 'MERGED')),
        is_draft boolean not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        merged_at timestamptz,
        closed_at timestamptz,
        first_commit_at timestamptz,
        ready_at timestamptz,
        merged_by text,
        additions integer not null,
        deletions integer not null,
        changed_files integer not null,
        head_ref text not null,
        base_ref text not null,
        labels text[] not null default '{}',
        milestone text,
        assignees text[] not null default '{}',
        closing_issues text[] not null default '{}',
        commit_count integer not null,
        review_count integer not null,
        file_count integer not null,
        comment_count integer,
        is_partial boolean not null default false,
        partial_reason text,
        is_automation boolean not null default false,
        is_revert boolean not null default false,
        is_hotfix boolean not null default false,
        fetched_at timestamptz not null default now(),
        is_settled boolean not null default true,
        primary key (team_id, repository, number),
        foreign key (team_id, repository) references tracked_repositories on delete cascade
    );
    create index pull_requests_by_created on pull_requests (team_id, created_at);
    create index pull_requests_by_merged on pull_requests (team_id, merged_at) where merged_at is not null;
    create index pull_requests_by_closed on pull_requests (team_id, closed_at) where closed_at is not null;

    create table pull_request_commits (
        team_id text not null,
        repository text not null,
        number integer not null,
        oid text not null,
        position integer not null,
        message text not null,
        authored_at timestamptz,
        committed_at timestamptz,
        author_login text,
        author_name text,
        author_email text,
        primary key (team_id, repository, number, oid),
        foreign key (team_id, repository, number) references pull_requests on delete cascade
    );

    create table pull_request_reviews (
        team_id text not null,
        repository text not null,
        number integer not null,
        review_id text not null,
        position integer not null,
        reviewer_login text,
        reviewer_type text,
        state text not null,
        submitted_at timestamptz,
        body text not null,
        primary key (team_id, repository, number, review_id),
        foreign key (team_id, repository, number) references pull_requests on delete cascade
    );

    create table pull_request_files (
        team_id text not null,
        repository text not null,
        number integer not null,
        path text not null,
        position integer not null,
        additions integer not null,
        deletions integer not null,
        change_type text not null,
        primary key (team_id, repository, number, path),
        foreign key (team_id, repository, number) references pull_requests on delete cascade
    );

    create table pull_request_index (
        team_id text not null,
        repository text not null,
        number integer not null,
        node_id text not null,
        state text not null check (state in ('OPEN', 'CLOSED', 'MERGED')),
        created_at timestamptz not null,
        updated_at timestamptz not null,
        merged_at timestamptz,
        closed_at timestamptz,
        seen_at timestamptz,
        is_missing boolean not null default false,
        primary key (team_id, repository, number),
        foreign key (team_id, repository) references tracked_repositories on delete cascade
    );
    create index pull_request_index_by_created on pull_request_index (team_id, repository, created_at);
    create index pull_request_index_by_closed on pull_request_index (team_id, repository, closed_at)
        where closed_at is not null;
    create index pull_request_index_missing on pull_request_index (team_id, repository) where is_missing;

    create table repository_walks (
        team_id text not null,
        repository text not null,
        kind text not null check (kind in ('history', 'look', 'full')),
        started_at timestamptz,
        cursor text,
        frontier timestamptz,
        is_at_end boolean not null default false,
        walked_at timestamptz,
        finished_at timestamptz,
        nulls integer not null default 0,
        primary key (team_id, repository, kind),
        foreign key (team_id, repository) references tracked_repositories on delete cascade
    );

    create table ingestion_leases (
        team_id text not null references teams on delete cascade,
        month date not null,
        holder text not null,
        running_until timestamptz not null,
        primary key (team_id, month, holder)
    );

    create table github_identities (
        token_digest text primary key,
        identity text not null,
        seen_at timestamptz not null default now()
    );

    create table github_budgets (
        identity text primary key,
        points_limit integer,
        points_remaining integer,
        resets_at timestamptz,
        blocked_until timestamptz,
        blocked_reason text,
        last_holder text
    );

    create table github_stream_queue (
        identity text not null,
        holder text not null,
        asked_at timestamptz not null,
        primary key (identity, holder)
    );

    create table github_streams (
        identity text not null,
        slot integer not null,
        holder text not null,
        expires_at timestamptz not null,
        primary key (identity, slot)
    );

    create table github_waits (
        team_id text not null references teams on delete cascade,
        holder text not null,
        reason text not null,
        began_at timestamptz not null default now(),
        resume_at timestamptz not null,
        primary key (team_id, holder)
    );
    """)
