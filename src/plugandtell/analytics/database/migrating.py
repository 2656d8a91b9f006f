"""Bringing a database to this version's schema, whoever comes first of several processes."""

from __future__ import annotations

import asyncio
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from plugandtell.core.errors import StoreUnreachable, StoreUnusable

if TYPE_CHECKING:
    from plugandtell.analytics.database.connection import Database

FOLDER: Final = Path(__file__).with_name("migrations")
VERSION_TABLE: Final = "plugandtell_version"
_ALEMBIC = threading.Lock()
"""For what alembic keeps once for the whole process while it migrates."""
_NO_LIMIT = text("SET LOCAL statement_timeout = 0")
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(8022004)")
_REFUSALS = ("authentication failed", "does not exist", "no pg_hba.conf entry", "permission denied")
"""What a server says that answers and will not have us. It gives no code for it, and may say it in another language."""


async def migrate(database: Database) -> None:
    """Make the tables, or bring them up to date; a database that is up to date is left alone.

    Raises:
        StoreUnreachable: It does not answer.
        StoreUnusable: It is of a newer version, damaged, not in UTF-8, or something else than ours.
    """
    await asyncio.to_thread(_migrate, database)


def _migrate(database: Database) -> None:
    # SQLite refuses at once, without waiting, when two processes switch one new file to WAL.
    lock = FileLock(f"{database.file}.lock") if database.file else nullcontext()
    try:
        with lock:
            database.write_now(_upgrade, f"database at {database.shown}")
    except StoreUnreachable as error:
        if any(refusal in error.cause for refusal in _REFUSALS):
            hint = "check the user, the password and the name in --database-url"
            raise StoreUnusable(f"database at {database.shown}", error.cause, hint) from error
        raise
    except DBAPIError as exc:
        hint = "name an empty database of its own with --database-url"
        raise StoreUnusable(f"database at {database.shown}", database.cause(exc), hint) from exc


def _upgrade(connection: Connection, name: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_NO_LIMIT)
        connection.execute(_ONE_AT_A_TIME)
        _check_encoding(connection, name)
    config = configuration()
    script = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    if found == script.get_current_head():
        return
    if found is not None and found not in {revision.revision for revision in script.walk_revisions()}:
        raise StoreUnusable(name, f"a newer PlugAndTell made it (schema {found})", "update this PlugAndTell")
    config.attributes["connection"] = connection
    with _ALEMBIC:
        command.upgrade(config, "head")


def configuration() -> Config:
    """Where alembic finds our migrations."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _check_encoding(connection: Connection, name: str) -> None:
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        hint = "make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        raise StoreUnusable(name, f"it keeps text as {encoding}, which not every language fits into", hint)
