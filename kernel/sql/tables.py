"""All tables of a city, and how values travel into them.

Times are microseconds since 1970 in UTC. A journal partition and a topic partition each have a small number,
because their names would stand in every row and twice in its indexes (docs/decisions/0010).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

ORDERED: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is cut in SQL and compared in Python: both go by code point, whatever the database's language."""

city = Table(
    "city",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("partitions", Integer, nullable=False),
    Column("clock", Text, nullable=False),
    Column("start_wall", BigInteger),
    Column("start_city", BigInteger),
    Column("speed", Integer, nullable=False),
    Column("mark", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("place", Text),
    Column("host", Text, nullable=False, server_default="embedded"),
)
"""One row: what was fixed when the city was created. `mark` tells it from any other city of the same name,
`place` is the identity of the database where it last ran.
"""

steps = Table(
    "steps",
    metadata,
    Column("wall", BigInteger, primary_key=True, autoincrement=False),
    Column("city", BigInteger, nullable=False),
)
"""City time of a stepped city of several processes: from `wall` on it is `city`."""

journals = Table(
    "journals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("processor", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("appended", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("processor", "partition"),
)
"""One row for each journal partition: its cursor in `body`, and beside it what the transaction itself needs:
the last stamp of its rows and the last id of a held message."""

journal = Table(
    "journal",
    metadata,
    Column("journal", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("now", BigInteger, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("appended", BigInteger, nullable=False),
    Column("trace", Text, nullable=False),
    Column("cause", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("stream", "journal", "version"),
)
"""The events. The stream comes first in its index, so that streams of one day lie side by side."""

targets = Table(
    "targets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next", BigInteger, nullable=False),
    Column("appended", BigInteger, nullable=False),
    UniqueConstraint("topic", "partition"),
)
"""One row for each topic partition that is no journal: the offset of its next record and its last stamp."""

messages = Table(
    "messages",
    metadata,
    Column("target", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("appended", BigInteger, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("journal", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("outbox_unpublished", "journal", "seq"),
)
"""What one batch of one partition sends beside its events, packed; only where the log is not in here."""

timers = Table(
    "timers",
    metadata,
    Column("journal", Integer, primary_key=True, autoincrement=False),
    Column("stream", ORDERED, primary_key=True),
    Column("name", ORDERED, primary_key=True),
    Column("due", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("event", Text, nullable=False),
    Index("timers_due", "journal", "due", "stream", "name"),
)

held = Table(
    "held",
    metadata,
    Column("journal", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("cause", LargeBinary, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("trace", Text, nullable=False),
    Column("now", BigInteger, nullable=False),
    Column("ordered", Boolean, nullable=False),
    Index("held_stream", "journal", "stream"),
    Index("held_ordered", "journal", "id", sqlite_where=text("ordered"), postgresql_where=text("ordered")),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("journal", Integer, primary_key=True, autoincrement=False),
    Column("stream", Text, primary_key=True),
    Column("fold", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

sections = Table(
    "sections",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
editions = Table(
    "editions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("manifest", LargeBinary, nullable=False),
)
"""An edition's manifest names its sections by hash; both are content-addressed and never change."""

secrets = Table(
    "secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", LargeBinary),
    Column("sealed", LargeBinary, nullable=False),
)
"""The keyring: of each report its key and what it seals, of each dead letter of the edge its key alone.

Erasing forgets the key, not the row.
"""

accesses = Table(
    "accesses",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Column("reader", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("answer", Text, nullable=False),
    Index("accesses_report", "report", "at"),
)
"""Who asked for which personal data, what for, and what the answer was."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """A time as it is stored."""
    return (moment - EPOCH) // _MICROSECOND


def moment(micros: int) -> datetime:
    """A stored time, in UTC."""
    return EPOCH + timedelta(microseconds=micros)
