"""Evidence of AI use: one row a hit, with the words that prove it."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    create table ai_evidence (
        team_id text not null,
        repository text not null,
        number integer not null,
        signature_id text not null,
        source text not null,
        position integer not null,
        tool text not null,
        role text not null check (role in ('author', 'reviewer', 'suggestion', 'automation')),
        strength text not null check (strength in ('exact', 'mention')),
        quote text not null check (length(quote) <= 200),
        ruleset_version text not null,
        primary key (team_id, repository, number, signature_id, source, position),
        foreign key (team_id, repository, number) references pull_requests on delete cascade
    );
    """)
