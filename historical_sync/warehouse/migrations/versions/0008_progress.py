"""What the progress page needs: the highest percentage shown, why the LLM waits, indexes for the measured rate."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create table progress_marks (
        team_id text not null references teams on delete cascade,
        generation integer not null,
        repositories integer not null,
        history_months integer not null,
        percent integer not null check (percent between 0 and 100),
        primary key (team_id, generation, repositories, history_months)
    );
    comment on table progress_marks is
        'The highest percentage that anybody was shown for this load; one with more repositories or months is another.';
    select historical_sync.protect('historical_sync.progress_marks', true, true);

    alter table llm_holds enable row level security;
    create policy visible_holds on llm_holds for select
        using (subject not like 'budget:%' or subject = 'budget:' || (select historical_sync.visible_team()));
    grant select on llm_holds to historical_sync_reader;

    create index pull_requests_by_fetched on pull_requests (team_id, fetched_at);
    create index llm_classifications_by_status on llm_classifications (team_id, status);
    """)
