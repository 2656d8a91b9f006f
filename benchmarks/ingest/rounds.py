"""Servers side by side: rounds in which each has its turn, in an order that changes."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.ingest.measuring import Cores, Round, measure
from benchmarks.ingest.servers import ALL, FLOOR, NODE_WS, OURS
from benchmarks.ingest.tables import per_round, spread, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.ingest.generating import Load

_TRIES = 2

HEAD = (
    f"{'server':<15} {'streams':>7} {'bytes':>6} {'CPU us':>8} {'% core':>7} {'p50 us':>7} {'p99 us':>8} {'late':>6} "
    f"{'latest':>7} {'waited':>6} {'behind':>6} {'failed':>6} {'faults':>6}"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        seconds: Of streaming, in each round, after the warm-up.
        writes: Whether the results are kept, rather than only printed.
    """

    peers: tuple[str, ...]
    streams: int
    seconds: float
    rounds: int
    cores: Cores
    writes: bool


def line(taken: Round) -> str:
    """What is printed of a round as soon as it is over."""
    latency = f"{'-':>7} {'-':>8}" if taken.latency_us is None else "{:7.0f} {:8.0f}".format(*taken.latency_us[:2])
    faults = "-" if taken.proof is None else len(taken.proof.faults)
    return (
        f"{taken.peer:<15} {taken.load.streams:>7} {taken.load.message_bytes:>6} {taken.cpu_us:8.2f} "
        f"{100 * taken.core_share:7.1f} {latency} {taken.late_us[0]:6.0f} {taken.late_us[1]:7.0f} "
        f"{100 * taken.waited_share:6.1f} {taken.behind:6} {taken.failed:6} {faults:>6}"
        f"{'  void' if taken.is_void else ''}"
    )


def take(name: str, load: Load, seconds: float, cores: Cores) -> Round:
    """Measure and print; once more if the machine was busy with something else."""
    for _ in range(_TRIES):
        taken = show(measure(ALL[name], load, seconds, cores))
        if not taken.is_void:
            break
    return taken


def show(taken: Round) -> Round:
    """Print it, and give it back."""
    print(line(taken), flush=True)
    for fault in taken.proof.faults[:5] if taken.proof else ():
        print(f"    {fault}", flush=True)
    return taken


def interleave(names: Sequence[str], load: Load, plan: Plan) -> dict[str, list[Round]]:
    """All servers, round after round; each round starts with another one."""
    taken: dict[str, list[Round]] = {name: [] for name in names}
    for number in range(plan.rounds):
        shift = number % len(names)
        for name in (*names[shift:], *names[:shift]):
            taken[name].append(take(name, load, plan.seconds, plan.cores))
    return taken


def median_cpu_us(rounds: Sequence[Round]) -> float:
    """Per message."""
    return statistics.median(taken.cpu_us for taken in rounds)


def rounds_table(taken: dict[str, list[Round]]) -> str:
    """What each server costs, how long its audio takes to the file, and whether all of it got there."""
    head = [
        "server",
        "CPU µs per message",
        "ours ÷ it",
        "% of a core",
        "send to file, p50 µs",
        "p99 µs",
        "longest ms",
        "streams behind",
        "samples read back",
    ]
    ours = taken.get(OURS)
    return table(head, [_row(rounds, ours) for rounds in taken.values()])


def _row(rounds: Sequence[Round], ours: Sequence[Round] | None) -> list[str]:
    cpu = [one.cpu_us for one in rounds]
    ratio = spread(per_round([one.cpu_us for one in ours], cpu), ".2f") if ours and rounds is not ours else "-"
    latencies = [one.latency_us for one in rounds if one.latency_us is not None]
    return [
        rounds[0].peer + _void_mark(rounds),
        ("at least " if _lags(rounds) else "") + spread(cpu),
        ratio,
        spread([100 * one.core_share for one in rounds]),
        spread([latency[0] for latency in latencies], ".0f"),
        spread([latency[1] for latency in latencies], ".0f"),
        spread([latency[2] / 1000 for latency in latencies]),
        str(max(one.behind + one.failed for one in rounds)),
        _proven(rounds),
    ]


def _lags(rounds: Sequence[Round]) -> bool:
    """Whether messages were left over, so that the CPU time is not that of all that were sent."""
    return any(one.behind for one in rounds)


def _void_mark(rounds: Sequence[Round]) -> str:
    void = sum(one.is_void for one in rounds)
    return f" ({void} of {len(rounds)} rounds disturbed)" if void else ""


def _proven(rounds: Sequence[Round]) -> str:
    proofs = [one.proof for one in rounds if one.proof is not None]
    if not proofs:
        return "-"
    faults = sum(len(proof.faults) for proof in proofs)
    return f"{sum(proof.samples for proof in proofs) / 1e6:.1f} million, {f'{faults} FAULTS' if faults else 'no fault'}"


def verdict(taken: dict[str, list[Round]]) -> str:
    """Ours against what it is held to."""
    goals = [(NODE_WS, 0.85), (FLOOR, 1.3)]
    found = []
    for name, goal in goals:
        if OURS in taken and name in taken:
            ratios = per_round([one.cpu_us for one in taken[OURS]], [one.cpu_us for one in taken[name]])
            kept = "kept" if statistics.median(ratios) <= goal else "not kept"
            found.append(f"- CPU at most {goal} of `{name}`: {spread(ratios, '.2f')}, {kept}.")
    if OURS in taken and NODE_WS in taken:
        mine, other = (_p99s(taken[name]) for name in (OURS, NODE_WS))
        kept = "kept" if statistics.median(mine) <= statistics.median(other) else "not kept"
        figures = f"{spread(mine, '.0f')} µs to {spread(other, '.0f')} µs"
        found.append(f"- p99 from send to file no worse than `{NODE_WS}`: {figures}, {kept}.")
    return "\n".join(found)


def _p99s(rounds: Sequence[Round]) -> list[float]:
    return [one.latency_us[1] for one in rounds if one.latency_us is not None]
