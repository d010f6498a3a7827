"""Migrations, run on a connection and inside its transaction: all of a step or nothing of it."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

MIGRATIONS: Final = Path(__file__).parent / "migrations"
REVISIONS: Final = tuple(
    sorted(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
)
"""The schemas that this release knows, the oldest first."""


def revision(connection: Connection) -> str | None:
    """The schema of a database, if it ever was one of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("select version_num from alembic_version")).scalar()


def tables(connection: Connection) -> list[str]:
    """The tables that are there, whosever they are."""
    return sorted(inspect(connection).get_table_names())


def upgrade(connection: Connection, to: str = "head") -> None:
    """Go forward to a schema."""
    from alembic import command  # noqa: PLC0415 - a city that is only opened needs no Alembic

    command.upgrade(_config(connection), to)


def downgrade(connection: Connection, to: str) -> None:
    """Go back to a schema; what only the newer one can hold is lost."""
    from alembic import command  # noqa: PLC0415 - a city that is only opened needs no Alembic

    command.downgrade(_config(connection), to)


def _config(connection: Connection):  # noqa: ANN202 - Alembic's own, imported late
    from alembic.config import Config  # noqa: PLC0415 - a city that is only opened needs no Alembic

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
