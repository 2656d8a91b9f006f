"""Services that do what the id of a call tells them to: what a pool has to live through."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plugandtell.core.errors import EngineUnavailable, InputEmpty
from plugandtell.core.findings import Intent, IntentClass
from plugandtell.core.transcript import Engine
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.analytics.service import CallInput, Service
    from plugandtell.core.call import Stage


@dataclass(frozen=True)
class Obedient:
    """Makes `ObedientService`s, or does not.

    Attributes:
        folder: Where they leave what the test wants to see.
        made: What happens when one is made.
    """

    folder: Path
    made: str = "ok"

    def __call__(self, stage: Stage) -> Service:
        with (self.folder / "made").open("a") as file:
            file.write(f"{stage}\n")
        do(self.made, self.folder)
        return ObedientService(self.folder)


class ObedientService:
    """Does what the call's id says, and answers with an intent whose label is the number of its process."""

    def __init__(self, folder: Path) -> None:
        self.tell_length: Callable[[int], None] = lambda _: None
        self.tell_fetching: Callable[[], None] = lambda: None
        self.tell_fetched: Callable[[], None] = lambda: None
        self._folder = folder
        self._kept: list[bytes] = []

    def process(self, call: CallInput) -> Intent:
        (self._folder / f"began-{call.call_id}").write_text(str(os.getpid()))
        deed, _, value = call.call_id.partition("-")
        if deed == "grow":
            self._kept.append(b"x" * (int(value) * 1_000_000))
        elif deed == "length":
            self.tell_length(value if value.isalpha() else int(value))  # type: ignore[arg-type]
            time.sleep(0.8)
        elif deed in ("fetch", "slow"):
            self.tell_fetching()
            if deed == "fetch":
                time.sleep(0.8)
                self.tell_fetched()
            do(value or "hang", self._folder)
        else:
            do(call.call_id, self._folder)
        return Intent(IntentClass.OTHER, 1.0, (), str(os.getpid()), 0, Engine("obedient", "1"))


def do(deed: str, folder: Path) -> None:
    """Do as told."""
    name, _, value = deed.partition("-")
    DEEDS[name](value, folder)


def _hang(_value: str, _folder: Path) -> None:
    threading.Event().wait()


def _hang_in_native_code(_value: str, _folder: Path) -> None:
    """Hold the lock of the interpreter, as a bad library does: no other thread gets to run."""
    ctypes.PyDLL(None).sleep(600)


def _crash(_value: str, _folder: Path) -> None:
    ctypes.string_at(0)


def _say(value: str, _folder: Path) -> None:
    sys.stdout.write(f"{value} on standard output\n")
    os.write(1, b"x" * 300_000)
    os.write(2, b"y" * 300_000)
    assert sys.stdin.read() == ""


def _log(value: str, _folder: Path) -> None:
    get_logger().info("obeyed", value=value, api_token="hush")
    logging.getLogger("some.library").warning("beware of %s", value)


def _leave(value: str, _folder: Path) -> None:
    Path(tempfile.gettempdir(), f"left-{value}").write_bytes(b"x")


def _eat(value: str, _folder: Path) -> None:
    eaten = b"x" * (int(value) * 1_000_000)
    threading.Event().wait()
    del eaten


def _refuse(value: str, _folder: Path) -> None:
    raise InputEmpty(value, "not one sample")


def _be_unavailable(_value: str, _folder: Path) -> None:
    raise EngineUnavailable("obedient", "no model", "get one")


def _exit(value: str, _folder: Path) -> None:
    os._exit(int(value))


def _leave_python(value: str, _folder: Path) -> None:
    sys.exit(int(value))


def _fail(value: str, _folder: Path) -> None:
    raise KeyError(value)


def _die_once_idle(_value: str, _folder: Path) -> None:
    threading.Timer(0.05, os._exit, [3]).start()


def _leave_a_process(_value: str, folder: Path) -> None:
    """Die and leave a process that holds the pipes open."""
    process = subprocess.Popen(["sleep", "600"])
    (folder / "grandchild").write_text(str(process.pid))
    os._exit(3)


def _fail_and_linger(value: str, _folder: Path) -> None:
    """Raise what nobody expects, with a thread that keeps the process from ending by itself."""
    threading.Thread(target=threading.Event().wait).start()
    raise KeyError(value)


def _wait_for_file(value: str, folder: Path) -> None:
    while not (folder / value).exists():
        time.sleep(0.01)


DEEDS: dict[str, Callable[[str, Path], None]] = {
    "ok": lambda _value, _folder: None,
    "hang": _hang,
    "freeze": _hang_in_native_code,
    "crash": _crash,
    "say": _say,
    "log": _log,
    "leave": _leave,
    "eat": _eat,
    "refuse": _refuse,
    "unavailable": _be_unavailable,
    "exit": _exit,
    "quit": _leave_python,
    "fail": _fail,
    "soon": _die_once_idle,
    "orphan": _leave_a_process,
    "linger": _fail_and_linger,
    "wait": _wait_for_file,
}
