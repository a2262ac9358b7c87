"""What the table of changed months says of itself, since a sensor computes their trends and no run does."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    comment on table llm_changed_months is 'months with new answers whose trends were not computed since';
    """)
