"""CPU time of the whole client, by voice detector: `python benchmarks/client_cpu.py`.

Linux only: a virtual microphone of PulseAudio plays the hiss of a quiet room (white noise at -65 dBFS), or speech
without a pause, to clients that stream to a server. In each round all detectors listen side by side, each in its own
client, so that what else the machine does falls on all alike; ratios are taken within a round. CPU is the kernel's
accounting of a client's process, from when it has settled; start-up does not count.
"""

from __future__ import annotations

import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.support.virtual_microphone import VirtualMicrophone, virtual_microphone  # noqa: E402

ROUNDS = 5
SETTLING_S = 12
SECONDS = 40
RATE = 16_000
DETECTORS = ("webrtc", "auto", "silero")
HEARD_S = SETTLING_S + SECONDS + 20
PYTHON = [sys.executable, "-m", "plugandtell"]


def scenes() -> dict[str, bytes]:
    """What is played, for longer than it is listened to."""
    random = np.random.default_rng(1)
    hiss = random.normal(0, 32_768 * 10 ** (-65 / 20), RATE * HEARD_S)
    sample, _ = soundfile.read(ROOT / "assets" / "sample.flac", dtype="int16")
    spoken = np.tile(np.concatenate([sample[9_600:42_880], sample[163_200:222_560]]), 40)[: RATE * HEARD_S]
    return {"quiet room": hiss.astype("<i2").tobytes(), "speech": spoken.astype("<i2").tobytes()}


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """User and system time of a process so far (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shares(microphone: VirtualMicrophone, url: str, folder: Path) -> dict[str, float]:
    """Of a core, in per cent, that each detector's client takes while all of them listen to the scene."""
    environment = os.environ | microphone.environment
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with (folder / "scene.raw").open("rb") as scene:
        player = subprocess.Popen(microphone.player(), stdin=scene, env=environment)
    clients = {}
    try:
        for name in DETECTORS:
            logs = f"--log-dir={folder / name}"
            command = [*PYTHON, "client", f"--server={url}", f"--vad={name}", logs, "--log-level=error"]
            clients[name] = subprocess.Popen(command, env=environment, **quiet)
        time.sleep(SETTLING_S)
        before = {name: cpu_s(client) for name, client in clients.items()}
        began = time.monotonic()
        time.sleep(SECONDS)
        lasted_s = time.monotonic() - began
        return {name: 100 * (cpu_s(client) - before[name]) / lasted_s for name, client in clients.items()}
    finally:
        for client in clients.values():
            client.send_signal(signal.SIGINT)
        statuses = {name: client.wait() for name, client in clients.items()}
        player.kill()
        player.wait()
        assert not any(statuses.values()), f"clients ended with {statuses}"


def report(scene: str, rounds: list[dict[str, float]]) -> None:
    """Print a line for each detector."""
    for detector in DETECTORS:
        taken = [one[detector] for one in rounds]
        ratio = statistics.median(one[detector] / one["webrtc"] for one in rounds)
        figures = f"{statistics.median(taken):11.2f} {min(taken):6.2f} {max(taken):6.2f} {ratio:9.2f}"
        print(f"{scene:<11} {detector:<9} {figures}", flush=True)


def main() -> None:
    """Measure and print."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} rounds of {SECONDS} s")
    print(f"{'scene':<11} {'detector':<9} {'% of a core':>11} {'min':>6} {'max':>6} {'x webrtc':>9}")
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
        try:
            for scene, audio in scenes().items():
                (folder / "scene.raw").write_bytes(audio)
                report(scene, [shares(microphone, url, folder) for _ in range(ROUNDS)])
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


if __name__ == "__main__":
    main()
