"""A city lives on one host: all in one process, or on Kafka.

Revision 0004, follows 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("city", sa.Column("host", sa.Text(), nullable=False, server_default="embedded"))


def downgrade() -> None:
    op.drop_column("city", "host")
