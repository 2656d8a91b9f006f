"""What the load generator sends, and the proof that all of it was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.ingest.pcm import key, prove, samples
from benchmarks.ingest.peers.wav import header

if TYPE_CHECKING:
    from pathlib import Path

SENT = 1_000


def record(path: Path, audio: bytes, told_bytes: int | None = None) -> Path:
    path.write_bytes(header(len(audio) if told_bytes is None else told_bytes) + audio)
    return path


def stream(number: int, count: int = SENT) -> bytes:
    return samples(number, 0, count).tobytes()


def test_no_sample_reads_as_a_hole_does() -> None:
    assert np.all(samples(3, 0, 100_000))


def test_a_sample_depends_on_its_place_and_not_on_how_it_is_asked_for() -> None:
    whole = samples(7, 0, 100)
    assert np.array_equal(whole[40:], samples(7, 40, 60))


def test_no_two_of_many_streams_begin_alike() -> None:
    assert len({key(number) for number in range(4_000)}) == 4_000


def test_whole_recordings_have_no_fault_whatever_they_are_called(tmp_path: Path) -> None:
    paths = [record(tmp_path / f"{9 - number}.wav", stream(number)) for number in range(3)]
    assert prove(paths, dict.fromkeys(range(3), SENT)).faults == ()


@pytest.mark.parametrize(
    ("audio", "fault"),
    [
        (stream(0)[:800] + stream(0)[802:], "sample 400 is not what was sent"),
        (stream(0)[:802] + stream(0)[800:], "sample 401 is not what was sent"),
        (stream(0)[:800] + b"\0\0" + stream(0)[802:], "sample 400 is not what was sent"),
        (stream(0)[:-2], "999 samples of 1000"),
        (stream(0) + stream(1)[:2], "1001 samples of 1000"),
    ],
    ids=["missing", "doubled", "changed", "cut", "too long"],
)
def test_one_wrong_sample_is_found(tmp_path: Path, audio: bytes, fault: str) -> None:
    proof = prove([record(tmp_path / "a.wav", audio)], {0: SENT})
    assert proof.faults == (f"stream 0: {fault}",)


def test_a_header_that_is_behind_the_audio_is_found(tmp_path: Path) -> None:
    proof = prove([record(tmp_path / "a.wav", stream(0), told_bytes=2)], {0: SENT})
    assert proof.faults == ("stream 0: the header tells of 2 bytes of audio, the file has 2000",)


def test_a_stream_without_a_file_one_with_two_and_a_stranger_are_found(tmp_path: Path) -> None:
    paths = [record(tmp_path / f"{number}.wav", stream(0)) for number in range(2)]
    paths.append(record(tmp_path / "stranger.wav", stream(9)))
    assert prove(paths, {0: SENT, 1: SENT}).faults == (
        "stream 0: 2 files",
        "stream 1: no file",
        "1 files begin as no stream does",
    )


def test_a_stream_that_sent_nothing_needs_no_file() -> None:
    assert prove([], {0: 0}).faults == ()
