"""Where it ends: twice the streams, larger messages, longer runs, and connections that say nothing."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.ingest.generating import Load, generating
from benchmarks.ingest.measuring import fresh_folder, measure, prove_round
from benchmarks.ingest.processes import running
from benchmarks.ingest.rounds import interleave, rounds_table, show, take
from benchmarks.ingest.servers import ALL, NODE_WS, OURS, with_workers
from benchmarks.ingest.tables import spread, table

if TYPE_CHECKING:
    from benchmarks.ingest.rounds import Plan

_SETTLING_S = 1.0
_BATCHES_MS = (20, 100, 256)
_BYTES_PER_MS = 32
_WORKERS = (1, 2)
_GROWTH = (1, 2, 3)
_FLAT_LOOKS = 8
_KIB = 1024


def twice(plan: Plan) -> str:
    """Twice the streams on one core, ours and Node's."""
    names = [name for name in (OURS, NODE_WS) if name in plan.peers]
    return rounds_table(interleave(names, Load(2 * plan.streams), plan))


def batches(plan: Plan) -> str:
    """The same audio in fewer messages, to ours."""
    rows = []
    for batch_ms in _BATCHES_MS:
        load = Load(plan.streams, batch_ms * _BYTES_PER_MS, batch_ms * 1000)
        rounds = [take(OURS, load, plan.seconds, plan.cores) for _ in range(plan.rounds)]
        per_message = [one.cpu_us for one in rounds]
        per_second = [one.cpu_us * 1000 / batch_ms for one in rounds]
        faults = sum(len(one.proof.faults) for one in rounds if one.proof is not None)
        rows.append([f"{batch_ms} ms", spread(per_message), spread(per_second, ".0f"), str(faults)])
    return table(
        ["audio in a message", "CPU µs per message", "CPU µs per second of audio", "faults in the files"], rows
    )


def workers(plan: Plan) -> str:
    """Ours in one process and in two, while the streams grow more."""
    cores = replace(plan.cores, server=plan.cores.workers)
    rows = []
    for factor in _GROWTH:
        for count in _WORKERS:
            load = Load(factor * plan.streams)
            taken = show(measure(with_workers(count), load, plan.seconds, cores))
            late_ms = taken.latency_us[1] / 1000 if taken.latency_us else math.nan
            rows.append(
                [
                    str(count),
                    str(load.streams),
                    f"{taken.cpu_us:.1f}",
                    f"{100 * taken.core_share:.0f}",
                    f"{late_ms:.1f}",
                    str(taken.behind + taken.failed),
                    str(len(taken.proof.faults) if taken.proof else 0),
                ]
            )
    head = ["processes", "streams", "CPU µs per message", "% of a core", "p99 to the file, ms", "behind", "faults"]
    shared = plan.cores.generator in plan.cores.workers
    note = "The generator runs on one of the same cores, and goes before the server there." if shared else ""
    return f"{table(head, rows)}\n\n{note}"


def idle(plan: Plan) -> str:
    """Memory of a connection that says nothing; of ours, one that was welcomed."""
    few, many = plan.streams // 5, 2 * plan.streams
    rows = []
    for name in plan.peers:
        taken = [_idle_kib(name, few, many, plan) for _ in range(plan.rounds)]
        rows.append([name, spread([each for each, _ in taken]), spread([before for _, before in taken], ".0f")])
        print(f"{name:<15} {rows[-1][1]} KiB an idle connection", flush=True)
    return table(["server", f"KiB for each of {many} more", f"KiB of the whole with {few}"], rows)


def _idle_kib(name: str, few: int, many: int, plan: Plan) -> tuple[float, float]:
    """Of each of many, above what a few take, so that what is loaded once does not count; and of all with the few."""
    peer, core = ALL[name], plan.cores.generator
    with (
        fresh_folder() as folder,
        running(peer, folder, plan.cores.server) as server,
        generating(peer, server.port, Load(few, first=many), core) as first,
    ):
        time.sleep(_SETTLING_S)
        before = server.pss_bytes()
        with generating(peer, server.port, Load(many), core) as second:
            time.sleep(_SETTLING_S)
            after = server.pss_bytes()
            second.end()
        first.end()
    return (after - before) / many / _KIB, before / _KIB


def flat(plan: Plan) -> str:
    """Memory of ours over a longer run, and whether all of that is in the files."""
    peer, load = ALL[OURS], Load(plan.streams)
    with fresh_folder() as folder:
        with (
            running(peer, folder, plan.cores.server) as server,
            generating(peer, server.port, load, plan.cores.generator) as generator,
        ):
            time.sleep(_SETTLING_S)
            looks = [(0.0, server.pss_bytes(), server.rss_bytes())]
            began = time.monotonic()
            generator.start()
            for _ in range(_FLAT_LOOKS):
                time.sleep(plan.seconds / 2)
                looks.append((time.monotonic() - began, server.pss_bytes(), server.rss_bytes()))
            generator.stop()
            ended = generator.end()
        proof = prove_round(peer, folder / "audio", ended)
    rows = [
        [f"{at:.0f}", f"{pss / 1e6:.1f}", f"{rss / 1e6:.1f}", f"{(pss - looks[0][1]) / load.streams / _KIB:.1f}"]
        for at, pss, rss in looks
    ]
    print("\n".join("  ".join(row) for row in rows), flush=True)
    head = ["seconds", "PSS, MB", "RSS, MB", "KiB for each of the streams, above an idle one"]
    told = f"{proof.samples / 1e6:.1f} million samples read back from {proof.files} files, {len(proof.faults)} faults."
    return f"{table(head, rows)}\n\n{told}"
