"""The progress page may read when GitHub last gave a page of a list: a long walk is no stalled load."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("grant select (team_id, walked_at) on historical_sync.repository_walks to historical_sync_reader")
