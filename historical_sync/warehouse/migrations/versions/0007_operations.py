"""What running it needs: alerts to deliver, and what a person asked for."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
