"""What the way through the queues costs: calls a second, the time of one call, and how both scale with workers.

    python benchmarks/analytics/queue_path/measure.py [--calls 200] [--database-url postgresql://...] [--queue-url redis://...]

Real worker processes on real stores, our own unless others are named; the services themselves do nothing, or wait for
as long as `--work-ms` says, so that what is measured is everything around them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))
from tests.support.results import RESULTS  # noqa: E402

from plugandtell.analytics.app import open_flow  # noqa: E402
from plugandtell.analytics.runtime import run_services  # noqa: E402
from plugandtell.analytics.settings import ServiceName, StoreSettings, WorkerSettings  # noqa: E402
from plugandtell.core.call import CallOptions, CallState  # noqa: E402
from plugandtell.logservice import LogLevel, LogSettings, configure  # noqa: E402
from plugandtell.stopping import stop_requests  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from plugandtell.analytics.flow import Flow
    from plugandtell.analytics.service import CallInput, StageResult
    from plugandtell.core.call import Stage


class Idle:
    """Services whose work is to wait."""

    def __init__(self, work_s: float) -> None:
        self._work_s = work_s

    async def run(self, stage: Stage, _call: CallInput, _limit_s: float) -> StageResult:
        """Wait, and answer."""
        await asyncio.sleep(self._work_s)
        return RESULTS[stage]


async def work(options: dict[str, str | float | None]) -> None:
    """Be a worker process."""
    stores = StoreSettings(
        queue_url=options["queue_url"], database_url=options["database_url"], data_dir=Path(str(options["data_dir"]))
    )
    settings = WorkerSettings(concurrency=int(options["concurrency"] or 1), grace_s=1.0)
    with stop_requests() as stop:
        async with open_flow(stores, os.environ) as flow:
            print("ready", flush=True)
            await run_services(tuple(ServiceName), settings, flow, Idle(float(options["work_s"] or 0)), stop)


@asynccontextmanager
async def workers(count: int, options: dict[str, str | float | None]) -> AsyncIterator[None]:
    """So many worker processes."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, "--worker", json.dumps(options)), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdout is not None
        await process.stdout.readline()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))


async def all_ended(flow: Flow, calls: list[str]) -> None:
    """Wait until each of these calls is complete."""
    left, seq = set(calls), 0
    while left:
        changes = await flow.calls.changes_since(seq)
        left -= {change.call_id for change in changes if change.state is CallState.COMPLETE}
        seq = changes[-1].seq if changes else seq
        if not changes:
            await asyncio.sleep(0.002)


async def throughput(flow: Flow, count: int, name: str) -> float:
    """Calls a second, of many that are there at once."""
    calls = [f"{name}.{number}" for number in range(count)]
    began = time.perf_counter()
    for call in calls:
        await flow.submit(call, "file:///nothing", call, CallOptions())
    await all_ended(flow, calls)
    return count / (time.perf_counter() - began)


async def latencies_ms(flow: Flow, count: int, name: str) -> list[float]:
    """From the submission of a call to its end, one after another."""
    found = []
    for number in range(count):
        began = time.perf_counter()
        await flow.submit(f"{name}.{number}", "file:///nothing", "x", CallOptions())
        await all_ended(flow, [f"{name}.{number}"])
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


async def measure(arguments: argparse.Namespace, count: int, work_s: float, concurrency: int) -> None:
    """Print a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        stores = StoreSettings(
            queue_url=arguments.queue_url, database_url=arguments.database_url, data_dir=Path(folder)
        )
        async with open_flow(stores, os.environ) as flow:
            options: dict[str, str | float | None] = {
                "queue_url": arguments.queue_url,
                "database_url": arguments.database_url,
                "data_dir": folder,
                "work_s": work_s,
                "concurrency": concurrency,
            }
            name = f"{time.time_ns()}"
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            async with workers(count, options):
                rate = await throughput(flow, arguments.calls, f"{name}.many")
                waits = await latencies_ms(flow, arguments.ones, f"{name}.one")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
    calls = arguments.calls + arguments.ones
    cpu_ms = 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / calls
    middle, most = statistics.median(waits), waits[int(0.95 * len(waits))]
    print(
        f"| {count} | {concurrency} | {1000 * work_s:.0f} | {rate:.1f} | {middle:.0f} | {most:.0f} | {cpu_ms:.0f} |",
        flush=True,
    )


async def main(arguments: argparse.Namespace) -> None:
    """Print the table."""
    print(f"{arguments.calls} calls at once, then {arguments.ones} one after another; load {os.getloadavg()[0]:.1f}\n")
    print("| workers | concurrency | work of a stage, ms | calls/s | one call, median ms | 95 % ms | CPU ms a call |")
    print("|---|---|---|---|---|---|---|")
    for work_ms in arguments.work_ms:
        for count, concurrency in arguments.sizes:
            await measure(arguments, count, work_ms / 1000, concurrency)


def _size(text: str) -> tuple[int, int]:
    count, _, concurrency = text.partition("x")
    return int(count), int(concurrency or 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--ones", type=int, default=40)
    parser.add_argument("--work-ms", type=float, nargs="*", default=[0.0, 200.0])
    parser.add_argument(
        "--sizes", type=_size, nargs="*", default=[(1, 1), (1, 4), (2, 1), (2, 4), (4, 1)], help="WORKERSxCONCURRENCY"
    )
    parser.add_argument("--queue-url")
    parser.add_argument("--database-url")
    with tempfile.TemporaryDirectory() as log_folder:
        quiet = LogSettings(process="benchmark", folder=Path(log_folder), level=LogLevel.ERROR)
        with configure(quiet):
            known = parser.parse_args()
            asyncio.run(work(json.loads(known.worker)) if known.worker else main(known))
