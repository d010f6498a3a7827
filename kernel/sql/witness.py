"""A witness of how far a city has come, apart from its database: an older database is told from it.

A file beside a SQLite database keeps the number of rows that were on record. PostgreSQL needs none: a dump
read into another database or a cluster gone back in time has another identity than the city remembers.
"""

from pathlib import Path

import msgspec
from sqlalchemy import Connection, func, select, text, update

from kernel.errors import JournalRestored
from kernel.sql.bulk import is_sqlite
from kernel.sql.tables import city, journals


class Witness(msgspec.Struct, frozen=True):
    """Which city had how many rows on record."""

    mark: str
    rows: int


def rows_of(connection: Connection) -> int:
    """How many rows all journals of a database have together."""
    return connection.execute(select(func.coalesce(func.sum(journals.c.seq), 0))).scalar_one()


def read(path: Path) -> Witness | None:
    """The witness in a file, if there is a legible one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Witness)
    except (OSError, msgspec.DecodeError):
        return None


def write(path: Path, witness: Witness) -> None:
    """Replace the file as a whole; a half-written one is never seen."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(msgspec.json.encode(witness))
    fresh.replace(path)


def check(connection: Connection, place: str, file: Path | None) -> None:
    """Raise `JournalRestored` if the database is older than what was seen of it, or stands elsewhere."""
    known = None if file is None else read(file)
    if known is not None and known.mark == _mark(connection) and rows_of(connection) < known.rows:
        raise JournalRestored(place, f"{known.rows} rows on record", str(rows_of(connection)))
    remembered, found = connection.execute(select(city.c.place)).scalar(), identity(connection)
    if remembered is None:
        connection.execute(update(city).values(place=found))
    elif remembered != found:
        raise JournalRestored(place, f"the database where it was founded ({remembered})", found)


def renew(connection: Connection, file: Path | None) -> int:
    """Take the database as it is now for the truth; gives how many rows less it has than was seen."""
    connection.execute(update(city).values(place=identity(connection)))
    if file is None:
        return 0
    known, rows = read(file), rows_of(connection)
    write(file, Witness(_mark(connection), rows))
    return max(0, known.rows - rows) if known else 0


def identity(connection: Connection) -> str:
    """Cluster, database and timeline on PostgreSQL; a file of SQLite has none."""
    if is_sqlite(connection):
        return ""
    return connection.execute(text(_IDENTITY)).scalar_one()


def _mark(connection: Connection) -> str:
    return connection.execute(select(city.c.mark)).scalar_one().hex()


_IDENTITY = (
    "select s.system_identifier || '/' || d.oid || '/' || c.timeline_id from pg_control_system() s, "
    "pg_control_checkpoint() c, pg_database d where d.datname = current_database()"
)
