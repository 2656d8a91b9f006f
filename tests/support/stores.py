"""Throw-away stores: a PostgreSQL and a Redis or Valkey of the test's own, which it can kill and start again.

They listen on 127.0.0.1 at a port that was free, keep their data in a folder of their own, and die with the process of
the tests (on Linux, even if that is killed).
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import psycopg
import pytest

from tests.support.processes import WITHIN_S, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PASSWORD: Final = "hunter2 é@/"
_UNPRIVILEGED = ("postgres", "nobody")
_LOOK_EVERY_S = 0.01
_LEFTOVER = "shared memory block"  # PostgreSQL, about the children of one that was killed a moment ago


def find_postgres() -> Path | None:
    """The folder of the newest PostgreSQL's programs: Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


needs_postgres = pytest.mark.skipif(find_postgres() is None, reason="no PostgreSQL is installed")
needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server is installed")


class Server:
    """A server as a child process."""

    def __init__(self, command: Sequence[str], port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        deadline = time.monotonic() + WITHIN_S
        self._process = self._launch()
        while not self.is_ready():
            said = (self.folder / "server.log").read_text(errors="replace")
            assert time.monotonic() < deadline, said
            if self._process.poll() is not None:
                assert _LEFTOVER in "".join(said.splitlines()[-2:]), said
                self._process = self._launch()
            time.sleep(_LOOK_EVERY_S)

    def _launch(self) -> subprocess.Popen[bytes]:
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def send(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill it, and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()


class Postgres(Server):
    """A PostgreSQL server."""

    def freeze(self) -> None:
        """Have it and all its processes hang."""
        _send_all(self._processes(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        _send_all(self._processes(), signal.SIGCONT)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill it. Its children would end by themselves, but later than the next one can start."""
        processes = self._processes()
        super().kill(number)
        _send_all(processes[1:], signal.SIGKILL)

    def revive(self) -> None:
        """Have it run again, whatever was done to it."""
        self.thaw()
        if not self.is_ready():
            self.kill()
            self.start()

    def _processes(self) -> list[int]:
        assert self._process is not None
        ps = subprocess.run(("ps", "-A", "-o", "pid=,ppid="), check=True, capture_output=True, text=True)
        parents = [tuple(map(int, line.split())) for line in ps.stdout.splitlines()]
        return [self._process.pid, *(child for child, parent in parents if parent == self._process.pid)]

    def url(self, name: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{name}"

    def is_ready(self) -> bool:
        """Whether it takes connections: not while it starts, or mends its data."""
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def run(self, statement: str, name: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement in one of its databases; returns its rows."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self, options: str = "") -> str:
        """The address of a new, empty database."""
        name = f"calls_{time.monotonic_ns()}"
        self.run(f"CREATE DATABASE {name} {options}")
        return self.url(name)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server. It refuses to run as root, who therefore runs it as somebody else."""
    programs = find_postgres()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # short, for its socket, and open for that somebody to reach
    try:
        as_somebody = _as_somebody(folder)
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        (folder / "password").chmod(0o644)
        flags = ("--username=postgres", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync")
        kind = ("--encoding=UTF8", "--locale=C", "--no-instructions")
        initdb = (*as_somebody, str(programs / "initdb"), *flags, *kind, f"--pgdata={folder / 'data'}")
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "fsync": "off",  # that a killed process loses nothing does not depend on it
            "shared_buffers": "16MB",
            "max_connections": 60,
            "autovacuum": "off",
        }
        command = (*as_somebody, str(programs / "postgres"), "-D", str(folder / "data"))
        server = Postgres((*command, *(f"--{name}={value}" for name, value in settings.items())), port, folder)
        server.start()
        try:
            yield server
        finally:
            server.thaw()
            server.kill(signal.SIGQUIT)  # at once, but not without its children
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis_server(folder: Path, program: str = "redis-server") -> Iterator[tuple[Server, str]]:
    """A Redis or Valkey that keeps everything, and its address."""
    port = free_port()
    settings = ("--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", str(folder))
    command = (*_bound_to_us(), program, "--bind", "127.0.0.1", "--port", str(port), *settings)
    server = Server(command, port, folder)
    server.start()
    try:
        yield server, f"redis://127.0.0.1:{port}"
    finally:
        server.send(signal.SIGCONT)
        server.kill()


def _send_all(process_ids: Sequence[int], number: int) -> None:
    for process_id in process_ids:
        with suppress(ProcessLookupError):
            os.kill(process_id, number)


def _as_somebody(folder: Path) -> tuple[str, ...]:
    """What goes before a command for it to run as the owner of the folder, who is not root."""
    if os.getuid() != 0:
        return _bound_to_us()
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = next(known[name] for name in _UNPRIVILEGED if name in known)
    os.chown(folder, user.pw_uid, user.pw_gid)
    ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    return (*_bound_to_us(), *ids)


def _bound_to_us() -> tuple[str, ...]:
    """What goes before a command for it to die with us."""
    if sys.platform == "linux" and shutil.which("setpriv"):
        return ("setpriv", "--pdeathsig=KILL")
    return ()
