"""Numbers of several processes, added up."""

from __future__ import annotations

from collections import Counter

from plugandtell.core.exposition import render
from plugandtell.core.metric_families import families_of
from plugandtell.core.metrics import Counts, Levels, Metrics, decode, encode, total

ONE = Metrics(
    Counts(messages=3, recorded_samples=16_000, saved=Counter(end=1, silence=2), cpu_s=0.5),
    Levels(streams=2, free_bytes=900, started_at=20.0, recorders=1),
)
OTHER = Metrics(
    Counts(messages=4, saved=Counter(end=5), refused=Counter(idle=1)),
    Levels(streams=1, free_bytes=800, started_at=10.0, recorders=1),
)


def test_counts_and_levels_add_up_but_a_disk_is_shared() -> None:
    assert total([ONE, OTHER, Metrics()]) == Metrics(
        Counts(
            messages=7, recorded_samples=16_000, saved=Counter(end=6, silence=2), refused=Counter(idle=1), cpu_s=0.5
        ),
        Levels(streams=3, free_bytes=800, started_at=10.0, recorders=2),
    )


def test_the_sum_changes_none_of_its_parts() -> None:
    total([ONE, OTHER])
    assert ONE.counts.messages == 3
    assert ONE.counts.saved == Counter(end=1, silence=2)


def test_another_process_reads_what_one_wrote() -> None:
    assert decode(encode(ONE)) == ONE


def test_lateness_is_counted_in_classes_whose_bounds_belong_to_them() -> None:
    counts = Counts()
    for seconds in (-0.1, 0.005, 0.006, 2.5, 3.0):
        counts.note_lateness(seconds)
    lines = render(families_of(Metrics(counts), "1")).splitlines()
    name = "plugandtell_event_loop_lateness_seconds"
    assert [line for line in lines if line.startswith(f"{name}_")] == [
        f'{name}_bucket{{le="0.005"}} 2',
        f'{name}_bucket{{le="0.025"}} 3',
        f'{name}_bucket{{le="0.1"}} 3',
        f'{name}_bucket{{le="0.5"}} 3',
        f'{name}_bucket{{le="2.5"}} 4',
        f'{name}_bucket{{le="+Inf"}} 5',
        f"{name}_sum 5.511",
        f"{name}_count 5",
    ]


def test_what_is_not_known_is_left_out() -> None:
    page = render(families_of(Metrics(), "1"))
    for name in ("disk_free_bytes", "process_resident_memory_bytes", "process_start_time_seconds"):
        assert name not in page
    assert "plugandtell_disk_free_bytes 900\n" in render(families_of(ONE, "1"))
