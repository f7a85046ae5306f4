"""Bring a database to this release's schema, or say why that cannot be."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from pipeline.adapters.sql_state.database import Database
from pipeline.adapters.sql_state.schema import HEAD
from pipeline.errors import DataFolderError, NotSetUp

MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(db: Database, *, migrate: bool) -> None:
    """Migrate where that is needed and wanted; one comparison where it is not.

    Raises:
        DataFolderError: the schema is newer, or the tables are somebody else's.
        NotSetUp: there is none, or an older one, and it is not to be migrated.
    """
    with db.reading() as connection:
        found = revision_in(connection, db.where)
    if found == HEAD:
        return
    if not migrate:
        state = f"is at revision {found}" if found else "is empty"
        raise NotSetUp(
            f"the state at {db.where} {state}, this release needs revision {HEAD}: `wirewatch setup` brings it there",
            is_older=bool(found),
        )
    with db.writing() as connection:
        db.lock_for_migration(connection)
        if revision_in(connection, db.where) != HEAD:  # another process may have done it by now
            upgrade(connection, HEAD)


def revision_in(connection: Connection, where: str) -> str:
    """Return the revision of the schema, "" for an empty database.

    Raises:
        DataFolderError: of a newer release, or not a state.
    """
    if not connection.dialect.has_table(connection, "alembic_version"):
        if others := sorted(inspect(connection).get_table_names()):
            raise DataFolderError(
                f"the database at {where} is no state of Wirewatch (it has the table {others[0]}): name another one"
            )
        return ""
    found = str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
    if not found.isdecimal() or int(found) > int(HEAD):
        raise DataFolderError(
            f"the state at {where} is at revision {found or 'unknown'}, this release knows {HEAD} at most: "
            "use the release that wrote it, or a newer one, or put back a backup"
        )
    return found


def upgrade(connection: Connection, revision: str) -> None:
    """Run the migrations up to ``revision`` in the transaction that is open on ``connection``."""
    # Half a second of imports, wanted once in the life of a release.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, revision)
