"""The ledger of what was sent to the LLM, what came back, and what holds it up."""

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
        status text not null check (status in (
            'validating', 'in_progress', 'finalizing', 'completed', 'failed', 'expired', 'cancelling', 'cancelled',
            'lost'
        )),
        digest text not null,
        model text not null,
        prompt_version text not null,
        requests integer not null default 0 check (requests >= 0),
        succeeded integer not null default 0 check (succeeded >= 0),
        failed integer not null default 0 check (failed >= 0),
        input_tokens bigint not null default 0 check (input_tokens >= 0),
        output_tokens bigint not null default 0 check (output_tokens >= 0),
        cost_usd numeric(14, 6) default 0,
        submitted_at timestamptz,
        finished_at timestamptz,
        error text,
        kind text not null default 'batch' check (kind in ('batch', 'chat')),
        attempt integer not null default 1 check (attempt >= 1),
        mended integer not null default 0,
        unknown_lines integer not null default 0
    );
    create index llm_batches_by_team on llm_batches (team_id, month);
    create index llm_batches_by_time on llm_batches (team_id, submitted_at);
    comment on column llm_batches.batch_id is 'Groq''s id; chat_… for calls one by one, where the plan has no batches';
    comment on column llm_batches.cost_usd is 'null: the model has no price in the price table';
    comment on column llm_batches.unknown_lines is 'answers under a custom_id that was not in the batch: ignored';

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
        attempts integer not null default 0 check (attempts >= 0),
        error text,
        classified_at timestamptz,
        evidence_quote text,
        mended text[] not null default '{}',
        queued_hash text,
        queued_month date,
        next_attempt_at timestamptz,
        is_suspect boolean not null default false,
        silences integer not null default 0,
        intent_id text,
        primary key (team_id, repository, number),
        foreign key (team_id, repository, number) references pull_requests on delete cascade,
        check ((queued_hash is null) = (queued_month is null)),
        check (status <> 'classified' or is_ai_assisted is not null)
    );
    create index llm_classifications_queued on llm_classifications (team_id, queued_month, next_attempt_at)
        where queued_hash is not null and intent_id is null;
    comment on column llm_classifications.queued_hash is
        'what is to be (re)classified: queued while intent_id is null, in flight with it; null when nothing is';
    comment on column llm_classifications.mended is 'the rules by which the answer was mended';

    create table llm_intents (
        intent_id text primary key,
        team_id text not null references teams on delete cascade,
        month date not null,
        kind text not null check (kind in ('batch', 'chat')),
        digest text not null,
        attempt integer not null check (attempt >= 1),
        model text not null,
        prompt_version text not null,
        state text not null check (state in ('claimed', 'uploaded', 'submitted', 'finished')),
        input_file_id text,
        batch_id text references llm_batches on delete cascade,
        estimated_cost_usd numeric(14, 6),
        claimed_at timestamptz not null,
        next_attempt_at timestamptz not null,
        tries integer not null default 0,
        troubled_since timestamptz,
        check (state not in ('uploaded', 'submitted') or kind = 'chat' or input_file_id is not null),
        check (state <> 'submitted' or batch_id is not null)
    );
    create index llm_intents_open on llm_intents (next_attempt_at) where state <> 'finished';
    create index llm_intents_by_team on llm_intents (team_id, month);

    create table llm_requests (
        intent_id text not null references llm_intents on delete cascade,
        custom_id text not null,
        team_id text not null references teams on delete cascade,
        repository text not null,
        number integer not null,
        content_hash text not null,
        sent_at timestamptz,
        outcome text check (outcome in ('classified', 'unclassified', 'requeued')),
        error text,
        primary key (intent_id, custom_id)
    );
    create index llm_requests_by_team on llm_requests (team_id);

    create table llm_holds (
        subject text primary key,
        code text not null,
        reason text not null,
        since timestamptz not null,
        until timestamptz,
        tries integer not null default 1
    );
    comment on table llm_holds is
        'why nothing is sent: service, batches, chat, model:NAME, budget:TEAM; until null means: until it is mended';

    create table llm_changed_months (
        team_id text not null references teams on delete cascade,
        month date not null,
        changed_at timestamptz not null,
        primary key (team_id, month)
    );
    comment on table llm_changed_months is 'months with new answers whose classified partition was not built since';
    """)
