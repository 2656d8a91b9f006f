"""How long audio takes to the file, from the times at which it was sent and seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from benchmarks.ingest.latency import RECORD, SEEN, SENT, latencies_us, read_log
from benchmarks.ingest.pcm import HEADER_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def sent(stream: int, samples: int, ns: int) -> tuple[int, int, int, int]:
    return SENT, stream, samples, ns


def seen(stream: int, samples: int, ns: int) -> tuple[int, int, int, int]:
    return SEEN, stream, HEADER_BYTES + 2 * samples, ns


def taken(*records: tuple[int, int, int, int], from_ns: int = 0, to_ns: int = 10**9) -> list[float]:
    log: NDArray[np.void] = np.array(list(records), dtype=RECORD)
    return list(map(float, latencies_us(log, from_ns, to_ns)))


def test_a_message_is_there_at_the_first_look_at_which_the_file_was_long_enough() -> None:
    assert taken(sent(0, 320, 1_000), seen(0, 319, 2_000), seen(0, 320, 4_000), seen(0, 640, 9_000)) == [3.0]


def test_one_look_may_find_several_messages() -> None:
    assert taken(sent(0, 320, 1_000), sent(0, 640, 2_000), seen(0, 640, 5_000)) == [4.0, 3.0]


def test_streams_are_told_apart() -> None:
    assert taken(sent(0, 320, 1_000), sent(1, 320, 1_000), seen(1, 320, 2_000), seen(0, 320, 8_000)) == [7.0, 1.0]


def test_a_message_that_never_came_took_for_ever() -> None:
    assert taken(sent(0, 320, 1_000), seen(0, 320, 2_000), sent(0, 640, 3_000)) == [1.0, np.inf]


def test_a_file_that_is_cut_for_a_moment_does_not_hide_what_was_there() -> None:
    assert taken(
        sent(0, 320, 1_000), seen(0, 320, 2_000), seen(0, 0, 3_000), sent(0, 640, 4_000), seen(0, 640, 6_000)
    ) == [
        1.0,
        2.0,
    ]


def test_only_messages_of_the_time_in_question_count() -> None:
    records = [sent(0, 320, 1_000), seen(0, 320, 2_000), sent(0, 640, 5_000), seen(0, 640, 9_000), sent(0, 960, 10_000)]
    assert taken(*records, from_ns=5_000, to_ns=10_000) == [4.0]


def test_a_server_whose_files_do_not_grow_has_none() -> None:
    assert taken(sent(0, 320, 1_000)) == []


def test_the_log_is_read_as_the_generator_writes_it(tmp_path: Path) -> None:
    log = np.array([sent(3, 320, 2**40)], dtype=RECORD)
    (tmp_path / "log").write_bytes(log.tobytes())
    assert RECORD.itemsize == 24
    assert read_log(tmp_path / "log").tolist() == [(SENT, 3, 320, 2**40)]
