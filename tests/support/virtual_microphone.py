"""Microphones for a machine that has none: null sinks of a private PulseAudio daemon, heard through PortAudio.

What is played to a sink is heard on its monitor, bit for bit. Each daemon has its own folder, so that any number of
tests run side by side, and ends with its test; should the whole test run be killed, it ends by itself.

PortAudio settles in a process once, so what records runs in a child process: see `VirtualMicrophone.run`.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

FIRST = "first"
SECOND = "second"
PACKAGES = "pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"
START_TIMEOUT_S = 10.0
ORPHAN_S = 60

ALSA_SETTINGS = f"""
pcm.{SECOND} {{ type pulse device {SECOND}.monitor hint {{ show on description "{SECOND}" }} }}
"""


@dataclass(frozen=True, slots=True)
class VirtualMicrophone:
    """A running daemon with two microphones: `default`, which hears the sink FIRST, and `second`.

    Attributes:
        folder: Where it keeps its socket and settings.
        pid: Its process.
    """

    folder: Path
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to hear this microphone, and no other."""
        return _environment(self.folder) | {"PULSE_SERVER": f"unix:{_socket(self.folder)}"}

    def player(self, sink: str = FIRST) -> list[str]:
        """The command that plays raw 16 kHz mono 16-bit audio from its standard input to a sink."""
        return ["pacat", "--playback", f"--device={sink}", "--raw", "--format=s16le", "--rate=16000", "--channels=1"]

    def recorder(self, sink: str = FIRST) -> list[str]:
        """The command that writes what is played to a sink to its standard output, in the same format."""
        source = f"--device={sink}.monitor"
        return ["pacat", "--record", source, "--raw", "--format=s16le", "--rate=16000", "--channels=1"]

    def suspend(self, sink: str = FIRST) -> None:
        """Make a microphone fall silent without going away."""
        # Its monitor, the source proper, cannot be suspended alone.
        self._control("suspend-sink", sink, "1")

    def resume(self, sink: str = FIRST) -> None:
        """Let it hear again."""
        self._control("suspend-sink", sink, "0")

    def unplug(self) -> None:
        """Take away all microphones; the daemon goes on."""
        for line in self._control("list", "short", "modules").splitlines():
            number, module, *_ = line.split("\t")
            if module == "module-null-sink":
                self._control("unload-module", number)

    def plug_in(self) -> None:
        """Bring them back."""
        for module in _sinks():
            self._control("load-module", *module.split())

    def kill(self) -> None:
        """Tear the microphones out, and the daemon with them."""
        os.kill(self.pid, signal.SIGKILL)

    @contextmanager
    def restarted(self) -> Iterator[None]:
        """Another daemon in the place of the one that was killed, ended at the end."""
        with _daemon(self.folder):
            yield

    def failure_of(self, work: Callable[[VirtualMicrophone], None], timeout_s: float = 20.0) -> str:
        """Call a function of a test module in a child process that hears this microphone.

        Returns what went wrong: how the function failed, or that the child did not end in time; empty if nothing did.
        """
        spawn = multiprocessing.get_context("spawn")
        receiver, sender = spawn.Pipe(duplex=False)
        child = spawn.Process(target=_report, args=(work, self, sender))
        child.start()
        sender.close()
        try:
            with receiver:
                failure = receiver.recv() if receiver.poll(timeout_s) else "it did not return in time"
            child.join(timeout_s)  # a device that is stuck must not hold up the end of the program either
            return failure or ("" if child.exitcode == 0 else f"the child process ended with {child.exitcode}")
        finally:
            child.kill()
            child.join()
            child.close()

    def _control(self, *arguments: str) -> str:
        environment = os.environ | self.environment
        command = ["pactl", *arguments]
        done = subprocess.run(
            command, env=environment, check=True, timeout=START_TIMEOUT_S, stdout=subprocess.PIPE, text=True
        )
        return done.stdout


@contextmanager
def virtual_microphone() -> Iterator[VirtualMicrophone]:
    """Start a daemon, and end it whatever happens."""
    missing = [program for program in ("pulseaudio", "pacat", "pactl") if shutil.which(program) is None]
    assert not missing, f"{missing} not found: install {PACKAGES}"
    # Not pytest's own folder: its name would be too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="mic-"))
    try:
        folder.joinpath(".asoundrc").write_text(ALSA_SETTINGS)
        with _daemon(folder) as pid:
            yield VirtualMicrophone(folder, pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _daemon(folder: Path) -> Iterator[int]:
    daemon = subprocess.Popen(
        _command(folder),
        env=os.environ | _environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # the Ctrl-C that ends the tests is not for the daemon
    )
    log: list[str] = []
    settled = threading.Event()
    reader = threading.Thread(target=_follow, args=(daemon, log, settled), daemon=True)
    reader.start()
    try:
        started = settled.wait(START_TIMEOUT_S) and daemon.poll() is None
        assert started, "pulseaudio did not start:\n" + "".join(log)
        yield daemon.pid
    finally:
        daemon.kill()
        daemon.wait()
        reader.join()
        assert daemon.stderr is not None
        daemon.stderr.close()


def _follow(daemon: subprocess.Popen[str], log: list[str], settled: threading.Event) -> None:
    """Keep the log, and say when the daemon is up or gone."""
    assert daemon.stderr is not None
    for line in daemon.stderr:
        log.append(line)
        if "startup complete" in line.lower():
            settled.set()
    settled.set()


def _command(folder: Path) -> list[str]:
    modules = [f"module-native-protocol-unix auth-anonymous=1 socket={_socket(folder)}", *_sinks()]
    options = (
        "-n --daemonize=no --use-pid-file=no --disallow-exit=no --high-priority=no --realtime=no --disable-shm=yes "
        f"--exit-idle-time={ORPHAN_S} --log-level=info --log-target=stderr"
    )
    return ["pulseaudio", *options.split(), *(word for module in modules for word in ("-L", module))]


def _sinks() -> list[str]:
    return [
        f"module-null-sink sink_name={name} rate=16000 channels=1 format=s16le norewinds=1" for name in (FIRST, SECOND)
    ]


def _socket(folder: Path) -> Path:
    return folder / "socket"


def _environment(folder: Path) -> dict[str, str]:
    """Keeps both the daemon and its clients away from whatever sound the machine has of its own."""
    places = ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "PULSE_STATE_PATH", "PULSE_RUNTIME_PATH")
    return {
        **{place: str(folder) for place in places},
        "PULSE_COOKIE": str(folder / "cookie"),
        "PULSE_SOURCE": f"{FIRST}.monitor",
        "PULSE_SINK": FIRST,
        "LC_ALL": "C",
    }


def _report(work: Callable[[VirtualMicrophone], None], microphone: VirtualMicrophone, sender: Connection) -> None:
    os.environ.update(microphone.environment)
    failure = ""
    try:
        work(microphone)
    except BaseException:  # noqa: BLE001  (told to the parent, whole)
        failure = traceback.format_exc()
    with suppress(OSError), sender:
        sender.send(failure)
