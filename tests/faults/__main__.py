"""`make soak`: campaigns of faults for as long as you have time, and how many ran.

make soak                                              # all campaigns, for ten minutes
make soak SECONDS=36000 SEED=1000000                   # ten hours, from another seed on
make soak ARGS="deaths --count 1000"                   # one campaign, so many schedules
make soak ARGS="lines --seed 7 --count 1"              # one schedule, as a failure names it
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.attackers import run_attacks
from tests.faults.batch import run_batch
from tests.faults.call_world import MAIN as CALL_WORKER
from tests.faults.call_world import Database
from tests.faults.calls import run_calls
from tests.faults.codec import run_messages
from tests.faults.deaths import run_death
from tests.faults.liars import run_liar
from tests.faults.lines import run_line
from tests.faults.nursery import nursery
from tests.faults.tally import Tally
from tests.support.stores import find_postgres, postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

_PROGRESS_EVERY_S = 30.0


def _lines(seeds: range) -> Tally:
    return asyncio.run(run_batch("lines", run_line, seeds, at_once=48))


def _liars(seeds: range) -> Tally:
    return asyncio.run(run_batch("liars", run_liar, seeds, at_once=48))


def _deaths(seeds: range) -> Tally:
    async def run() -> Tally:
        async with nursery() as opened:
            return await run_batch("deaths", partial(run_death, opened), seeds, at_once=12)

    return asyncio.run(run())


def _attacks(seeds: range) -> Tally:
    async def run() -> Tally:
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            async with nursery() as opened:
                return await run_attacks(opened, seeds, Path(folder))

    return asyncio.run(run())


def _calls(seeds: range) -> Tally:
    async def run() -> Tally:
        async with nursery(CALL_WORKER) as opened:
            return await run_batch("calls", partial(run_calls, opened, None), seeds, at_once=6)

    return asyncio.run(run())


def _far_calls(seeds: range) -> Tally:
    async def run() -> Tally:
        with postgres_server() as server:
            async with nursery(CALL_WORKER) as opened:
                each = partial(run_calls, opened, Database(server))
                return await run_batch("far_calls", each, seeds, at_once=6)

    return asyncio.run(run())


_CAMPAIGNS: dict[str, tuple[Callable[[range], Tally], int]] = {
    "lines": (_lines, 192),
    "deaths": (_deaths, 48),
    "attacks": (_attacks, 250),
    "liars": (_liars, 200),
    "messages": (run_messages, 1000),
    "calls": (_calls, 24),
    "far_calls": (_far_calls, 24),
}
"""Each with how many of its seeds make a batch."""


class Soak:
    """Batches of campaigns on all cores, until the time or the count is reached, or one fails."""

    def __init__(self, names: list[str], seed: int, count: int | None, seconds: float) -> None:
        self._names = cycle(names)
        self._next_seed = dict.fromkeys(names, seed)
        self._last_seed = None if count is None else seed + count
        self._ends_at = time.monotonic() + seconds
        self._started_at = time.monotonic()
        self._campaigns = len(names)
        self.tally = Tally()
        self.failures: list[str] = []

    def run(self, workers: int) -> None:
        """Run until it is over."""
        running: set[Future[Tally]] = set()
        said_at = time.monotonic()
        with ProcessPoolExecutor(workers) as pool:
            while True:
                while len(running) < workers and (batch := self._next_batch()) is not None:
                    campaign, seeds = batch
                    running.add(pool.submit(campaign, seeds))
                if not running:
                    return
                done, running = wait(running, timeout=_PROGRESS_EVERY_S, return_when=FIRST_COMPLETED)
                for future in done:
                    self._take(future)
                if time.monotonic() - said_at > _PROGRESS_EVERY_S:
                    said_at = time.monotonic()
                    self._say(f"{said_at - self._started_at:.0f} s: {self.tally}")

    def _next_batch(self) -> tuple[Callable[[range], Tally], range] | None:
        """The next campaign in turn that has seeds left."""
        if self.failures or (self._last_seed is None and time.monotonic() > self._ends_at):
            return None
        for _ in range(self._campaigns):
            name = next(self._names)
            run, size = _CAMPAIGNS[name]
            first = self._next_seed[name]
            last = first + size if self._last_seed is None else min(first + size, self._last_seed)
            if first < last:
                self._next_seed[name] = last
                return run, range(first, last)
        return None

    def _take(self, future: Future[Tally]) -> None:
        if (error := future.exception()) is None:
            self.tally.add(future.result())
        else:
            self.failures.append(f"{type(error).__name__}: {error}")
            self._say(self.failures[-1])

    def _say(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def main() -> int:
    """Returns 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="make soak", description="Campaigns of faults; see docs/testing.md.")
    parser.add_argument("campaigns", nargs="*", help=f"any of {', '.join(_CAMPAIGNS)}; all unless given")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 0), help="the first seed")
    count = os.environ.get("COUNT")
    parser.add_argument("--count", type=int, default=int(count) if count else None, help="so many of each campaign")
    seconds = float(os.environ.get("SECONDS") or 600)
    parser.add_argument("--seconds", type=float, default=seconds, help="for so long, unless there is a count")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if unknown := set(options.campaigns) - _CAMPAIGNS.keys():
        parser.error(f"there is no campaign {', '.join(sorted(unknown))}")
    installed = [
        name for name in _CAMPAIGNS if name != "far_calls" or (find_postgres() and shutil.which("redis-server"))
    ]
    soak = Soak(options.campaigns or installed, options.seed, options.count, options.seconds)
    soak.run(options.workers)
    sys.stdout.write(f"faults: {soak.tally}\n{soak.tally.by_kind}\n{len(soak.failures)} batches failed\n")
    return 1 if soak.failures else 0


if __name__ == "__main__":
    sys.exit(main())
