"""CPU time of each gate in a quiet room, in a noisy one and while somebody speaks, as a ratio to webrtc alone."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import conditions
from conditions import Case
from detectors import run
from report import markdown
from signals import RATE

if TYPE_CHECKING:
    from corpus import Half

BASE = "webrtc"
QUIET_S = 120  # a gate wakes up once at the start: that is not what listening costs


def table(half: Half, specs: tuple[str, ...], rounds: int) -> str:
    """Rounds are interleaved, so that what else the machine does falls on all alike; medians are given."""
    names = tuple(dict.fromkeys((BASE, *specs)))
    rows = []
    for scene, pcm in _scenes(half).items():
        taken: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                done = run(name, pcm)
                taken[name].append(done.cpu_s / (done.samples / RATE))
        floor = statistics.median(taken[BASE])
        for name in names:
            median = statistics.median(taken[name])
            spread = f"{1000 * min(taken[name]):.2f} to {1000 * max(taken[name]):.2f}"
            rows.append((scene, name, f"{1000 * median:.2f}", spread, f"{median / floor:.2f}"))
    head = ("scene", "gate", "CPU ms a second of audio", "range", "x webrtc")
    return markdown(f"Cost of detector and gate ({rounds} interleaved rounds)", head, rows)


def _scenes(half: Half) -> dict[str, bytes]:
    quiet, _ = conditions.make(Case(half, "hiss", None, None, 0, QUIET_S))
    fan, _ = conditions.make(Case(half, "fan", -50, None, 0, 30))
    speech, _ = conditions.make(Case(half, "hiss", None, 0))
    return {"quiet room": quiet, "fan at -50 dBFS": fan, "speech and pauses": speech}
