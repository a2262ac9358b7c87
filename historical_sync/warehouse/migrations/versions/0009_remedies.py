"""What a person can do about a failure stands beside it, as the error itself said it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    alter table repository_months add column remedy text;
    alter table tracked_repositories add column sync_remedy text;
    comment on column repository_months.remedy is 'What a person can do about the error.';
    comment on column tracked_repositories.sync_remedy is 'What a person can do about sync_error.';
    """)
