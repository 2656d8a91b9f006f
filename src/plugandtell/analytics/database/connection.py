"""One database, reached from threads, and its troubles as our own errors."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from plugandtell.core.errors import FolderUnusable, InvalidSetting, StoreUnreachable, StoreUnusable
from plugandtell.core.store_url import UNREADABLE, without_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection

_P = ParamSpec("_P")
_T = TypeVar("_T")

FILE = "calls.sqlite3"
THREADS = 4
"""And connections, at most, of one process."""
ANSWER_WITHIN_S = 40.0
_LOCKED_FOR_S = 30.0
_STATEMENT_WITHIN = "30s"
_CONNECT_WITHIN_S = 5
_READ_ONLY = "25006"  # what a standby says (PostgreSQL, appendix A): the address leads to the new primary soon
_SERVER_TROUBLE = ("OperationalError", "InterfaceError")  # PEP 249; sqlite3 calls an unknown table one, too
_FILE_DAMAGE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_FILE_TROUBLE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
)


def database_url(url: str | None, data_dir: Path) -> URL:
    """The address in SQLAlchemy's terms: PostgreSQL, or the SQLite file in the data folder where there is none.

    Raises:
        InvalidSetting: It is no PostgreSQL address.
        FolderUnusable: The data folder cannot be made or written.
    """
    if url is None:
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            (data_dir / FILE).touch(mode=0o600)  # in a folder that others may read, too; SQLite's other files follow it
        except OSError as exc:
            raise FolderUnusable("--data-dir", str(data_dir), str(exc)) from exc
        return URL.create("sqlite+pysqlite", database=str(data_dir / FILE))
    shown = without_password(url)
    with suppress(ArgumentError, ValueError):
        # What is read in more than one way may lead elsewhere, and its password be taken for the name of a host.
        if shown.startswith(("postgresql://", "postgres://")) and UNREADABLE not in shown:
            return make_url(url).set(drivername="postgresql+psycopg")
    expected = "postgresql://USER:PASSWORD@HOST/NAME, with what is special in it percent-encoded"
    raise InvalidSetting("--database-url", shown, expected)


class Database:
    """The connections to one database.

    Each transaction runs in a thread of its own: a caller that is cancelled leaves one that is whole, or none.

    Args:
        url: From `database_url`.
        answer_within_s: Longer than a server that lives may take, which says itself when it gives up.
    """

    def __init__(self, url: URL, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self.file = url.database if url.get_backend_name() == "sqlite" else None
        self.shown = (
            f"sqlite:///{self.file}"
            if self.file
            else without_password(url.set(drivername="postgresql").render_as_string())
        )
        self._password = url.password
        self._answer_within_s = answer_within_s
        self._engine = _file_engine(url) if self.file else _server_engine(url)
        self._open: set[DBAPIConnection] = set()
        # First of all: a server may hang at the very first statement.
        event.listen(self._engine, "connect", lambda connection, _: self._open.add(connection), insert=True)
        event.listen(self._engine, "close", lambda connection, _: self._open.discard(connection))
        self._writing = self._engine.execution_options(writes=True)
        self._one_writer = threading.Lock() if self.file else nullcontext()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")

    async def read(self, do: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `do` reads in one transaction.

        Raises:
            StoreUnreachable: The database does not answer.
            StoreUnusable: It is damaged.
        """
        return await self._in_thread(partial(self._transaction, self._engine, partial(do, **kwargs), *args))

    async def write(self, do: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Have `do` write in one transaction, on the disk when this returns. Where it raises, nothing is written.

        Raises:
            StoreUnreachable: The database does not answer. It may be written all the same, if the answer was lost.
            StoreUnusable: It is damaged.
        """
        return await self._in_thread(partial(self.write_now, partial(do, **kwargs), *args))

    def write_now(self, do: Callable[..., _T], *args: Any) -> _T:
        """The same in this thread."""
        with self._one_writer:
            return self._transaction(self._writing, do, *args)

    async def close(self) -> None:
        """Wait for what is under way, and close the connections."""
        closing = asyncio.create_task(asyncio.to_thread(self._threads.shutdown))
        try:
            while not (await asyncio.wait([closing], timeout=self._answer_within_s))[0]:
                self._cut()
        except asyncio.CancelledError:
            self._cut()
            raise
        self._engine.dispose()

    async def _in_thread(self, do: Callable[[], _T]) -> _T:
        running = asyncio.get_running_loop().run_in_executor(self._threads, do)
        try:
            async with asyncio.timeout(self._answer_within_s):
                return await running
        except TimeoutError as exc:
            self._cut()
            raise StoreUnreachable("database", self.shown, f"no answer within {self._answer_within_s:g} s") from exc

    def _cut(self) -> None:
        """Have the threads that wait for a server that hangs go on: their connections end."""
        for connection in list(self._open):
            number = getattr(connection, "fileno", None)  # SQLite has none, and gives up by itself
            if number is not None:
                with suppress(Exception), socket.socket(fileno=os.dup(number())) as copy:  # it may be closed by now
                    copy.shutdown(socket.SHUT_RDWR)

    def _transaction(self, engine: Engine, do: Callable[..., _T], *args: Any) -> _T:
        with self._named_errors(), engine.begin() as connection:
            return do(connection, *args)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as exc:
            cause = self.cause(exc)
            if _is_damage(exc.orig):
                hint = "restore it from a copy, or move it away for a new one"
                raise StoreUnusable(f"database at {self.shown}", cause, hint) from exc
            if exc.connection_invalidated or _is_trouble(exc.orig):
                raise StoreUnreachable("database", self.shown, cause) from exc
            raise

    def cause(self, exc: DBAPIError) -> str:
        """What the database said, in a line, without its password."""
        cause = " ".join(str(exc.orig).split())
        return cause.replace(self._password, "***") if self._password else cause


def _is_damage(error: object) -> bool:
    """Whether a file is no database, or a broken one."""
    return isinstance(error, sqlite3.Error) and _primary_code(error) in _FILE_DAMAGE


def _is_trouble(error: object) -> bool:
    """Whether it is the database's state that made it fail, and not what was asked of it."""
    if isinstance(error, sqlite3.Error):
        return _primary_code(error) in _FILE_TROUBLE
    if getattr(error, "sqlstate", None) == _READ_ONLY:
        return True
    return any(kind.__name__ in _SERVER_TROUBLE for kind in type(error).__mro__)


def _primary_code(error: sqlite3.Error) -> int:
    """The low byte, without what says more exactly (https://www.sqlite.org/rescode.html)."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _server_engine(url: URL) -> Engine:
    defaults = {
        "connect_timeout": str(_CONNECT_WITHIN_S),
        "application_name": "plugandtell",
        # A host that is gone without a word is noticed within half a minute.
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": "20000",
    }
    engine = create_engine(
        url.set(query=defaults | dict(url.query)),
        isolation_level="READ COMMITTED",
        hide_parameters=True,  # transcripts and addresses are no business of a traceback
        pool_size=THREADS,
        max_overflow=0,
        pool_pre_ping=True,  # connections that a restart of the server cut are not handed out
    )
    event.listen(engine, "connect", _prepare_connection)
    return engine


def _prepare_connection(connection: DBAPIConnection, _record: object) -> None:
    """Settings that hold for one connection, in a statement: poolers between us and the server know no others."""
    cursor = connection.cursor()
    cursor.execute(f"SET statement_timeout = '{_STATEMENT_WITHIN}'")  # a lock that is waited for counts
    cursor.close()
    connection.commit()


def _file_engine(url: URL) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, pool_size=THREADS, max_overflow=0, connect_args={"timeout": _LOCKED_FOR_S}
    )
    event.listen(engine, "connect", _prepare_file)
    event.listen(engine, "begin", _begin_file)
    return engine


def _prepare_file(connection: sqlite3.Connection, _record: object) -> None:
    """Settings that hold for one connection. With FULL, what is committed survives a power cut in WAL mode too."""
    connection.isolation_level = None  # `_begin_file` begins: Python would wait until the first change
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}").close()


def _begin_file(connection: Connection) -> None:
    """Take the right to write at the beginning: a reader that wants to write later may find that it cannot."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
