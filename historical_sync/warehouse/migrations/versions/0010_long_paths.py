"""A file's path may be longer than an index entry (2,704 bytes; git allows 4,096), so position is the key of the files.

A path still stands once in a pull request: the reader of GitHub's list sees to that, and the list is replaced whole.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    alter table pull_request_files
        drop constraint pull_request_files_pkey,
        add primary key (team_id, repository, number, position);
    """)
