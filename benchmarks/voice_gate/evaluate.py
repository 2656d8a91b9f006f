"""Judges the gate on speech in noise and on noise alone: `python benchmarks/voice_gate/evaluate.py`. See README.md."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import conditions
import cost
import metrics
import odd
import report
from conditions import Case
from corpus import HALVES, Half
from detectors import available, run
from report import Judged

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).parent / "RESULTS.md"
DETECTORS = "auto,silero,webrtc,naive"
PROCESSES = 2


def judge(job: tuple[Case, tuple[str, ...]]) -> list[Judged]:
    """Make one file and pass it through every gate."""
    case, specs = job
    pcm, bouts = conditions.make(case)
    speaker = conditions.speaker(case)
    judged = []
    for spec in specs:
        done = run(spec, pcm)
        if bouts:
            judged.append(Judged(case, spec, speaker, metrics.score(bouts, done), done.samples, 0, 0))
        else:
            sent = sum(end - start for start, end in done.sent)
            judged.append(Judged(case, spec, speaker, None, done.samples, len(done.segments), sent))
    return judged


def judge_all(half: Half, specs: tuple[str, ...], *, quick: bool) -> list[Judged]:
    """All files of a half, over two processes; the order is that of the cases."""
    conditions.prepare(half)
    cases = [*conditions.speech_cases(half, quick=quick), *conditions.noise_cases(half, quick=quick)]
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else None)
    judged: list[Judged] = []
    with context.Pool(PROCESSES) as pool:
        for number, part in enumerate(pool.imap(judge, [(case, specs) for case in cases], chunksize=2), 1):
            judged += part
            if sys.stderr.isatty():
                print(f"\r{number} of {len(cases)} files", end="", file=sys.stderr)
    return judged


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", default=DETECTORS, help="comma-separated; see detectors.py for @ and overrides")
    parser.add_argument("--half", choices=HALVES, default=HALVES[-1])
    parser.add_argument("--quick", action="store_true", help="a small part of it, in about two minutes")
    parser.add_argument("--out", type=Path, help="file to write; RESULTS.md for a full run, none for a quick one")
    parser.add_argument("--self-check", action="store_true", help="try the metrics on known cases, and end")
    options = parser.parse_args(arguments)
    metrics.check()
    if options.self_check:
        print("metrics: fine")
        return
    specs, missing = available(options.detector)
    began = time.monotonic()
    judged = judge_all(options.half, specs, quick=options.quick)
    parts = [report.heading(options.half, judged, specs, missing), report.tables(judged, specs)]
    parts.append(cost.table(options.half, specs, rounds=3 if options.quick else 5))
    if not options.quick:
        parts.append(odd.table(options.half, specs))
    text = "\n".join(parts)
    print(text)
    print(f"took {time.monotonic() - began:.0f} s", file=sys.stderr)
    out = options.out or (None if options.quick else RESULTS)
    if out:
        out.write_text(text)


if __name__ == "__main__":
    main()
