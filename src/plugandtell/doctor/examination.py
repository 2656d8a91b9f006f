"""Runs checks side by side, each on its own and within its time: none hides what another has found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from plugandtell.core.exit_status import ExitStatus
from plugandtell.doctor.finding import Finding, broken, finding_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO

_KILLED_AFTER_S: Final = 0.5
_TAIL_BYTES: Final = 2000
END: Final = "null"
"""The last line of a process that has told all it found."""
_CRASHED: Final = "a library that it needs crashes on this machine: reinstall it, or see its settings"
_HANGS: Final = "stop what keeps it busy, or restart the machine; what comes after it was not looked at"


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at.

    Attributes:
        name: What it is called if it says nothing itself.
        status: The exit code if it does not come to an end.
        run: Gives findings, as soon as there is one. It may raise, and may never return.
        within_s: How long it may take.
        is_isolated: It may crash or hold up the end of its process, and runs in one of its own.
    """

    name: str
    status: ExitStatus
    run: Callable[[], Iterator[Finding]]
    within_s: float
    is_isolated: bool = False


def examine(checks: Sequence[Check]) -> Iterator[Finding]:
    """Run all at once; gives what they find in their order."""
    started = [(check, _start(check), time.monotonic() + check.within_s) for check in checks]
    for check, findings, until_s in started:
        while True:
            try:
                finding = findings.get(timeout=max(0.0, until_s - time.monotonic()))
            except Empty:
                yield _unanswered(check)
                break
            if finding is None:
                break
            yield finding


def guarded(check: Check) -> Iterator[Finding]:
    """What a check finds, and that it failed if it did."""
    try:
        yield from check.run()
    except Exception as exc:  # noqa: BLE001  (the boundary of a check)
        said = f"this check itself failed: {type(exc).__name__}: {exc}"
        yield broken(check.name, ExitStatus.BUG, said, "please report it, with these lines")


def in_child(check: Check, arguments: Sequence[str]) -> Check:
    """The same check, made by another process: `plugandtell doctor --only NAME` with these arguments."""
    command = [sys.executable, "-m", "plugandtell", "doctor", f"--only={check.name}", "--json", *arguments]

    def run() -> Iterator[Finding]:
        with tempfile.TemporaryFile() as stderr:
            child = subprocess.Popen(  # noqa: S603  (this program, with the settings it was given)
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr
            )
            is_late = threading.Event()

            def end() -> None:
                is_late.set()
                child.kill()

            timer = threading.Timer(check.within_s, end)
            timer.daemon = True
            timer.start()
            try:
                assert child.stdout is not None
                with closing(child.stdout) as lines:
                    for line in lines:
                        if line.strip() == END.encode():
                            return  # whatever holds up the end of the process, it has told all
                        yield finding_of(json.loads(line))
                child.wait()
            finally:
                timer.cancel()
                child.kill()
                child.wait()
            if is_late.is_set():
                yield _unanswered(check)
            else:
                yield broken(check.name, check.status, _obituary(child.returncode, stderr), _CRASHED)

    return Check(check.name, check.status, run, check.within_s + _KILLED_AFTER_S)


def _unanswered(check: Check) -> Finding:
    return broken(check.name, check.status, f"no answer within {check.within_s:g} s", _HANGS)


def _obituary(status: int, stderr: IO[bytes]) -> str:
    """How a process ended, with its last words."""
    how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    size_bytes = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size_bytes - _TAIL_BYTES))
    words = stderr.read().decode(errors="replace").strip().splitlines()
    return f"the process crashed ({how})" + (f": {words[-1]}" if words else "")


def _start(check: Check) -> SimpleQueue[Finding | None]:
    findings: SimpleQueue[Finding | None] = SimpleQueue()

    def run() -> None:
        for finding in guarded(check):
            findings.put(finding)
        findings.put(None)

    threading.Thread(target=run, name=f"check {check.name}", daemon=True).start()
    return findings
