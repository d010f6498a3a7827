"""A demonstration city of several processes keeps the steps of its clock.

Revision 0005, follows 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "steps",
        sa.Column("wall", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("city", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("steps")
