"""Answers are kept until they are written, and what came as null in a list is a hole that is asked for again.

Walks that met a null before are read again once from the top: where it was, they did not note.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create unlogged table unwritten_answers (
        answer_id bigint generated always as identity primary key,
        team_id text not null references teams on delete cascade,
        month date not null,
        document text not null,
        asked jsonb not null,
        node_ids text[] not null,
        body bytea not null,
        asked_at timestamptz not null,
        answered_at timestamptz not null
    );
    alter table unwritten_answers alter column body set storage external;
    create index unwritten_answers_by_month on unwritten_answers (team_id, month);
    comment on table unwritten_answers is
        'One row per answer of GitHub''s that is not written yet, so that a killed run''s are not asked for again.';
    select historical_sync.protect('historical_sync.unwritten_answers', false);

    create table walk_holes (
        team_id text not null,
        repository text not null,
        cursor text not null,
        nulls integer not null check (nulls > 0),
        updated_before timestamptz,
        down_to timestamptz not null,
        primary key (team_id, repository, cursor),
        foreign key (team_id, repository) references tracked_repositories on delete cascade
    );
    comment on table walk_holes is
        'One row per page of a repository''s list in which an entry came as null: asked for again by every run.';
    comment on column walk_holes.cursor is 'Where the page begins; empty for the top of the list.';
    comment on column walk_holes.updated_before is
        'Nothing in the page was updated later, so later months are not concerned; null where that is not known.';
    comment on column walk_holes.down_to is 'When the page''s last entry was updated: so far down it is read again.';
    select historical_sync.protect('historical_sync.walk_holes', false);

    insert into walk_holes (team_id, repository, cursor, nulls, updated_before, down_to)
    select team_id, repository, '', sum(nulls), null, coalesce(min(frontier), 'epoch')
    from repository_walks where nulls > 0 and kind <> 'full' group by team_id, repository;
    comment on column repository_walks.nulls is 'No longer written: see walk_holes.';
    """)
