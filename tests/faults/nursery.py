"""Starts commands in milliseconds: a process that has loaded everything forks whenever one is asked for.

What it starts are real processes that can be killed; only the import of the program is shared. Asked on standard input
with a JSON object a line, `{"main": "...", "argv": [...], "folder": "...", "name": "..."}`, it answers
`{"started": pid}` on standard output, and says `{"ended": pid, "status": n}` when a process has ended. It takes its
children along when it ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import socket
import sys
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_POLL_S = 0.01
_COMMAND = "plugandtell.cli"
_LOADED = (_COMMAND, "plugandtell.client.app", "plugandtell.client.audio_file", "plugandtell.server.app")


class Child:
    """A command that was started.

    Attributes:
        ended: Resolves to its exit code; negative if a signal ended it.
        stdout: The file that it prints to.
        stderr: The file that it logs to.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.pid = 0
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.stdout = folder / f"{name}.out"
        self.stderr = folder / f"{name}.err"

    @property
    def lines(self) -> list[str]:
        """What it has printed, in whole lines."""
        if not self.stdout.exists():
            return []
        return [line[:-1] for line in self.stdout.read_text().splitlines(keepends=True) if line.endswith("\n")]

    async def first_line(self) -> str | None:
        """What it prints first; None if it ends without a word. A file is the only sign of it."""
        while not (lines := self.lines):
            if self.ended.done():
                return None
            await asyncio.sleep(_POLL_S)
        return lines[0]

    def send(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Nursery:
    """The other end of the process that forks."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asked: list[tuple[Child, asyncio.Future[None]]] = []
        self._children: dict[int, Child] = {}
        self._reading = asyncio.create_task(self._read())

    async def start(self, folder: Path, name: str, *argv: str, main: str = _COMMAND) -> Child:
        """Start `plugandtell ARGV` in `folder`; `name` makes the names of the files of its output.

        Another module as `main` is another program: its function `main` is run.
        """
        child = Child(folder, name)
        started = asyncio.get_running_loop().create_future()
        self._asked.append((child, started))
        assert self._process.stdin is not None
        request = {"main": main, "argv": argv, "folder": str(folder), "name": name}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        await started
        return child

    async def close(self) -> None:
        """End it, and whatever still runs."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            answer: dict[str, int] = json.loads(line)
            if "started" in answer:
                child, started = self._asked.pop(0)
                child.pid = answer["started"]
                self._children[child.pid] = child
                if not started.done():
                    started.set_result(None)
            else:
                self._children.pop(answer["ended"]).ended.set_result(answer["status"])


@asynccontextmanager
async def nursery(*modules: str) -> AsyncIterator[Nursery]:
    """A nursery, closed at the end, that has loaded these modules, or those that the commands need."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.nursery", *(modules or _LOADED)),
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if not name.startswith("PLUGANDTELL_")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    opened = Nursery(process)
    try:
        yield opened
    finally:
        await opened.close()


def _main() -> None:
    """The process that forks: one thread, nothing but a loop."""
    for module in sys.argv[1:]:
        import_module(module)

    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(waker.fileno())
    children: set[int] = set()
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd != 0:
                    woken.recv(4096)
                    continue
                data = os.read(0, 65_536)
                *lines, rest = (rest + data).split(b"\n")
                if not data:
                    for pid in children:
                        os.kill(pid, signal.SIGKILL)
                    return
                for line in lines:
                    request = json.loads(line)
                    if not (pid := os.fork()):
                        selector.close()
                        _become(request)
                    children.add(pid)
                    _say({"started": pid})
            _reap(children)


def _reap(children: set[int]) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            children.discard(pid)
            _say({"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _say(answer: dict[str, int]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def _become(request: dict[str, Any]) -> None:
    """Be the command, from here to the end of the process."""
    main = import_module(request["main"]).main
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["folder"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for place, path in enumerate((os.devnull, f"{request['name']}.out", f"{request['name']}.err")):
        os.dup2(os.open(path, flags if place else os.O_RDONLY, 0o600), place)
    sys.argv = ["plugandtell", *request["argv"]]
    sys.exit(main())


if __name__ == "__main__":
    _main()
