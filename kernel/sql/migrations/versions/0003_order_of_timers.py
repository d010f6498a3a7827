"""Timers of one due time have one order, whatever language the database has.

Revision 0003, follows 0002. SQLite compares bytes already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _collate("C")


def downgrade() -> None:
    _collate(None)


def _collate(collation: str | None) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for column in ("stream", "name"):
            op.alter_column("timers", column, type_=sa.Text(collation=collation))
