"""CPU time of the whole client, by voice detector, beside a floor: `python benchmarks/client_cpu.py`.

Linux only: a virtual microphone of PulseAudio plays the hiss of a quiet room (white noise at -65 dBFS), or speech
without a pause, to clients that stream to a server. The floor is a program that opens the same microphone through the
same library, with blocks of the same length, and throws away what it hears: what no client written in Python can go
below. In each round all of them listen side by side, so that what else the machine does falls on all alike; ratios are
taken within a round. CPU is the kernel's accounting of a process (clock_getcpuclockid(3)), from when it has settled;
start-up does not count. With `--json FILE` the figures go into a file as well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.support.virtual_microphone import VirtualMicrophone, virtual_microphone  # noqa: E402

RATE = 16_000
SETTLING_S = 8
FLOOR = "floor"
DETECTORS = ("webrtc", "auto", "silero")
PYTHON = [sys.executable, "-m", "plugandtell"]
FLOOR_PROGRAM = """
import signal, sounddevice
from plugandtell.core.batch import batch_of
settings = {"samplerate": 16_000, "channels": 1, "dtype": "int16", "blocksize": batch_of(100, 512).block_samples}
stream = sounddevice.RawInputStream(**settings, callback=lambda *_: None)
stream.start()
signal.sigwait({signal.SIGINT})
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one program took in one scene.

    Attributes:
        scene: What was to be heard.
        program: The client's detector, or the floor.
        percent: Of a core: median, least and most of all rounds.
        switches: Times a second that one of its threads had waited and was woken: the median.
        ratio: To the floor: the median.
    """

    scene: str
    program: str
    percent: tuple[float, float, float]
    switches: float
    ratio: float


def measure(rounds: int, seconds: int, detectors: tuple[str, ...] = DETECTORS) -> list[Figure]:
    """Start a microphone and a server, and measure every program in every scene."""
    figures = []
    programs = (FLOOR, *detectors)
    with tempfile.TemporaryDirectory() as name, virtual_microphone() as microphone:
        folder = Path(name)
        server = subprocess.Popen(
            [*PYTHON, "server", "--port=0", f"--audio-dir={folder / 'audio'}", f"--log-dir={folder}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        commands = {program: _command(program, url, folder) for program in programs}
        try:
            for scene, audio in _scenes(SETTLING_S + seconds + 20).items():
                (folder / "scene.raw").write_bytes(audio)
                taken = [_listen(microphone, commands, folder, seconds) for _ in range(rounds)]
                figures += [_figure(scene, program, taken) for program in programs]
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
    return figures


def _scenes(length_s: int) -> dict[str, bytes]:
    """What is played, for longer than it is listened to."""
    random = np.random.default_rng(1)
    hiss = random.normal(0, 32_768 * 10 ** (-65 / 20), RATE * length_s)
    sample, _ = soundfile.read(ROOT / "assets" / "sample.flac", dtype="int16")
    spoken = np.tile(np.concatenate([sample[9_600:42_880], sample[163_200:222_560]]), 40)[: RATE * length_s]
    return {"quiet room": hiss.astype("<i2").tobytes(), "speech": spoken.astype("<i2").tobytes()}


def _command(program: str, url: str, folder: Path) -> list[str]:
    if program == FLOOR:
        return [sys.executable, "-c", FLOOR_PROGRAM]
    logs = f"--log-dir={folder / program}"
    return [*PYTHON, "client", f"--server={url}", f"--vad={program}", logs]


def _listen(
    microphone: VirtualMicrophone, commands: dict[str, list[str]], folder: Path, seconds: int
) -> dict[str, tuple[float, float]]:
    """Per cent of a core and wake-ups a second of each program, while all of them listen to the scene."""
    environment = os.environ | microphone.environment
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with (folder / "scene.raw").open("rb") as scene:
        player = subprocess.Popen(microphone.player(), stdin=scene, env=environment)
    running = {}
    try:
        for program, command in commands.items():
            running[program] = subprocess.Popen(command, env=environment, **quiet)
        time.sleep(SETTLING_S)
        before = {program: _taken(process.pid) for program, process in running.items()}
        time.sleep(seconds)
        after = {program: _taken(process.pid) for program, process in running.items()}
    finally:
        for process in running.values():
            process.send_signal(signal.SIGINT)
        statuses = {program: process.wait() for program, process in running.items()}
        player.kill()
        player.wait()
    assert not any(statuses.values()), f"they ended with {statuses}"
    return {program: _between(before[program], after[program]) for program in commands}


def _taken(pid: int) -> tuple[float, float, int]:
    """When, the CPU seconds of a process so far, and how often its threads have waited for something."""
    cpu_clock = ~pid << 3 | 2  # how the kernel numbers the CPU clock of a process
    tasks = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    waits = sum(int(task.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for task in tasks)
    return time.monotonic(), time.clock_gettime(cpu_clock), waits


def _between(before: tuple[float, float, int], after: tuple[float, float, int]) -> tuple[float, float]:
    lasted_s, cpu_s, waits = (last - first for first, last in zip(before, after, strict=True))
    return 100 * cpu_s / lasted_s, waits / lasted_s


def _figure(scene: str, program: str, rounds: list[dict[str, tuple[float, float]]]) -> Figure:
    shares = [taken[program][0] for taken in rounds]
    return Figure(
        scene,
        program,
        (statistics.median(shares), min(shares), max(shares)),
        statistics.median(taken[program][1] for taken in rounds),
        statistics.median(taken[program][0] / taken[FLOOR][0] for taken in rounds),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=30, help="how long each round measures")
    parser.add_argument("--detectors", nargs="+", default=DETECTORS)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, {options.rounds} rounds of {options.seconds} s")
    print(f"{'scene':<11} {'program':<9} {'% of a core':>11} {'min':>6} {'max':>6} {'wake-ups/s':>11} {'x floor':>8}")
    figures = measure(options.rounds, options.seconds, tuple(options.detectors))
    for one in figures:
        median, least, most = one.percent
        shares = f"{median:11.2f} {least:6.2f} {most:6.2f}"
        print(f"{one.scene:<11} {one.program:<9} {shares} {one.switches:11.0f} {one.ratio:8.2f}")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(one) for one in figures], indent=2) + "\n")


if __name__ == "__main__":
    main()
