"""CPU time of the whole client, by voice detector: `python benchmarks/client_cpu.py`.

Linux only: a virtual microphone of PulseAudio plays the hiss of a quiet room (white noise at -65 dBFS), or speech
without a pause, to a client that streams to a server. Rounds are interleaved; CPU is the kernel's accounting of the
client's process. Start-up is measured with a file of one sample and taken off.
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

ROUNDS = 3
SECONDS = 40
RATE = 16_000
DETECTORS = ("webrtc", "auto", "silero")
PYTHON = [sys.executable, "-m", "plugandtell"]


def scenes() -> dict[str, bytes]:
    """What is played, for longer than it is listened to."""
    random = np.random.default_rng(1)
    hiss = random.normal(0, 32_768 * 10 ** (-65 / 20), RATE * (SECONDS + 20))
    sample, _ = soundfile.read(ROOT / "assets" / "sample.flac", dtype="int16")
    spoken = np.tile(np.concatenate([sample[9_600:42_880], sample[163_200:222_560]]), 40)[: RATE * (SECONDS + 20)]
    return {"quiet room": hiss.astype("<i2").tobytes(), "speech": spoken.astype("<i2").tobytes()}


def cpu_s(command: list[str], environment: dict[str, str], seconds: float | None) -> float:
    """User and system time of a process that is stopped after a while, or ends by itself."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if seconds is not None:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{command} ended with {status}"
    return usage.ru_utime + usage.ru_stime


def listening_s(microphone: VirtualMicrophone, url: str, detector: str, folder: Path) -> float:
    """CPU time of `SECONDS` of listening, start-up taken off."""
    environment = os.environ | microphone.environment
    client = [*PYTHON, "client", f"--server={url}", f"--vad={detector}", f"--log-dir={folder}", "--log-level=error"]
    start_up = cpu_s([*client, f"--input={folder / 'one.wav'}"], environment, None)
    with (folder / "scene.raw").open("rb") as scene:
        player = subprocess.Popen(microphone.player(), stdin=scene, env=environment)
    try:
        return cpu_s(client, environment, SECONDS) - start_up
    finally:
        player.kill()
        player.wait()


def main() -> None:
    """Measure and print."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {ROUNDS} interleaved rounds of {SECONDS} s")
    print(f"{'scene':<11} {'detector':<9} {'% of a core':>11} {'min':>6} {'max':>6} {'x webrtc':>9}")
    with tempfile.TemporaryDirectory() as name, virtual_microphone() as microphone:
        folder = Path(name)
        soundfile.write(folder / "one.wav", np.zeros(1, np.int16), RATE)
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
                shares: dict[str, list[float]] = {detector: [] for detector in DETECTORS}
                for _ in range(ROUNDS):
                    for detector in DETECTORS:
                        spent = listening_s(microphone, url, detector, folder)
                        shares[detector].append(100 * spent / SECONDS)
                floor = statistics.median(shares["webrtc"])
                for detector, taken in shares.items():
                    median = statistics.median(taken)
                    figures = f"{median:11.2f} {min(taken):6.2f} {max(taken):6.2f} {median / floor:9.2f}"
                    print(f"{scene:<11} {detector:<9} {figures}")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


if __name__ == "__main__":
    main()
