"""Which fetch of a pull request its content was last digested of: what is unchanged is not read again for it."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    alter table llm_classifications add column hashed_fetch_at timestamptz;
    comment on column llm_classifications.hashed_fetch_at is
        'The fetched_at of the pull request when its content was last digested; null until then, or while in flight.';
    """)
