"""A city remembers where it was founded, so that a database restored elsewhere is told from it.

Revision 0002, follows 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("city", sa.Column("place", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("city", "place")
