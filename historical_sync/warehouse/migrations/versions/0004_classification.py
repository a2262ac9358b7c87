"""The ledger of what was sent to the LLM, and what came back."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create table llm_batches (
        batch_id text primary key,
        team_id text not null references teams on delete cascade,
        month date not null,
        status text not null,
        digest text not null,
        model text not null,
        prompt_version text not null,
        requests integer not null default 0,
        succeeded integer not null default 0,
        failed integer not null default 0,
        input_tokens bigint not null default 0,
        output_tokens bigint not null default 0,
        cost_usd numeric(14, 6) not null default 0,
        submitted_at timestamptz,
        finished_at timestamptz,
        error text
    );
    create index llm_batches_by_team on llm_batches (team_id, month);

    create table llm_classifications (
        team_id text not null,
        repository text not null,
        number integer not null,
        status text not null check (status in ('pending', 'classified', 'unclassified')),
        is_ai_assisted boolean,
        tools text[] not null default '{}',
        usage_type text check (usage_type in ('authored', 'assisted', 'reviewed', 'brainstorm', 'none')),
        confidence double precision check (confidence between 0 and 1),
        summary_title text,
        summary_type text check (summary_type in ('feature', 'bugfix', 'refactor', 'docs', 'test', 'chore', 'ci')),
        llm_summary jsonb,
        content_hash text,
        prompt_version text,
        model text,
        batch_id text,
        attempts integer not null default 0,
        error text,
        classified_at timestamptz,
        primary key (team_id, repository, number),
        foreign key (team_id, repository, number) references pull_requests on delete cascade
    );
    """)
