from __future__ import annotations

import json
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.audio import AudioFormat
from plugandtell.core.protocol.messages import MAX_INDEX, ClientInfo, EndReason
from plugandtell.core.recording import (
    GapPolicy,
    Origin,
    WavFile,
    final_sidecar,
    open_sidecar,
    read_open_sidecar,
    recording_name,
    time_at,
)
from plugandtell.core.segmenter import Ended, Gap

STARTED_AT = datetime(2026, 11, 23, 15, 35, 0, 848_000, tzinfo=UTC)
ORIGIN = Origin(
    segment_id=UUID(int=1),
    stream_id=UUID(int=2),
    continues=UUID(int=3),
    client=ClientInfo("plugandtell-client", "0.1.0"),
    label="laptop",
    labels={"name": "laptop", "room": "Küche"},
    started_at=STARTED_AT,
    start_index=32_000,
    audio=AudioFormat(16_000, 1),
    gap_policy=GapPolicy.FILL,
)
GAPS = [Gap(40_000, 8_000)]
ENDED = Ended(32_000, 64_000, EndReason.SILENCE, 20_000, 5, 6)
WAV = WavFile("2026-11-23T15-35-00.848Z_laptop.wav", 32_000, 64_044, "0" * 64)
SAFE = set(string.ascii_letters + string.digits + "-_.")


@pytest.mark.parametrize(
    ("label", "attempt", "expected"),
    [
        ("laptop", 1, "2026-11-23T15-35-00.848Z_laptop"),
        ("laptop", 2, "2026-11-23T15-35-00.848Z_laptop-2"),
        ("", 1, "2026-11-23T15-35-00.848Z_client"),
        ("../../etc/passwd", 1, "2026-11-23T15-35-00.848Z_etc-passwd"),
        ("C:\\CON", 1, "2026-11-23T15-35-00.848Z_C-CON"),
        ("Büro\n\x00 2", 1, "2026-11-23T15-35-00.848Z_B-ro-2"),
        ("日本語", 1, "2026-11-23T15-35-00.848Z_client"),
        ("-rf", 1, "2026-11-23T15-35-00.848Z_rf"),
        ("x" * 300, 1, "2026-11-23T15-35-00.848Z_" + "x" * 40),
        ("x" * 39 + " yz", 1, "2026-11-23T15-35-00.848Z_" + "x" * 39),
    ],
)
def test_a_name_tells_when_and_who(label: str, attempt: int, expected: str) -> None:
    assert recording_name(STARTED_AT, label, attempt) == expected


@given(st.text(st.characters()), st.integers(1, 1000))
def test_a_name_is_safe_whatever_the_label(label: str, attempt: int) -> None:
    name = recording_name(STARTED_AT, label, attempt)
    assert set(name) <= SAFE
    assert name.startswith("2026-11-23T15-35-00.848Z_")
    assert len(name) <= 80
    assert not name.endswith((".", "_", "-"))


@given(st.text(max_size=20), st.integers(1, 1000), st.integers(1, 1000))
def test_every_attempt_has_a_name_of_its_own(label: str, one: int, other: int) -> None:
    same = recording_name(STARTED_AT, label, one) == recording_name(STARTED_AT, label, other)
    assert same is (one == other)


def test_names_are_in_utc_so_that_they_sort_by_time() -> None:
    elsewhere = STARTED_AT.astimezone(timezone(timedelta(hours=-5)))
    assert recording_name(elsewhere, "a") == recording_name(STARTED_AT, "a")


def test_the_time_of_a_sample_is_counted_from_the_start_of_the_stream() -> None:
    assert time_at(STARTED_AT, 0, ORIGIN.audio) == STARTED_AT
    assert time_at(STARTED_AT, 24_000, ORIGIN.audio) == STARTED_AT + timedelta(seconds=1.5)


def test_the_sidecar_says_it_all() -> None:
    text = final_sidecar(ORIGIN, GAPS, ENDED, WAV)
    assert text.endswith("}\n")
    assert "Küche" in text
    assert json.loads(text) == {
        "version": 1,
        "segment_id": "00000000-0000-0000-0000-000000000001",
        "stream_id": "00000000-0000-0000-0000-000000000002",
        "continues": "00000000-0000-0000-0000-000000000003",
        "client": {"name": "plugandtell-client", "version": "0.1.0", "label": "laptop"},
        "labels": {"name": "laptop", "room": "Küche"},
        "format": {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 16_000, "channels": 1},
        "gap_policy": "fill",
        "started_at": "2026-11-23T15:35:00.848Z",
        "start_index": 32_000,
        "file": "2026-11-23T15-35-00.848Z_laptop.wav",
        "reason": "silence",
        "recovered": False,
        "ended_at": "2026-11-23T15:35:02.848Z",
        "end_index": 64_000,
        "samples": 32_000,
        "duration_ms": 2_000,
        "voiced_samples": 20_000,
        "voiced_share": 0.625,
        "gaps": [{"start_index": 40_000, "samples": 8_000}],
        "duplicate_samples": 5,
        "dropped_samples": 6,
        "size_bytes": 64_044,
        "sha256": "0" * 64,
    }


def test_where_gaps_are_dropped_the_file_is_shorter_than_the_time_it_covers() -> None:
    origin = replace(ORIGIN, gap_policy=GapPolicy.DROP, continues=None)
    fields = json.loads(final_sidecar(origin, GAPS, ENDED, replace(WAV, samples=24_000)))
    assert fields["duration_ms"] == 1_500
    assert fields["ended_at"] == "2026-11-23T15:35:02.848Z"
    assert fields["continues"] is None


def test_a_recording_that_was_mended_says_so() -> None:
    nothing = Ended(32_000, 32_000, EndReason.RECOVERED, 0, 0, 0)
    fields = json.loads(final_sidecar(ORIGIN, [], nothing, replace(WAV, samples=0)))
    assert fields["recovered"] is True
    assert fields["reason"] == "recovered"
    assert fields["voiced_share"] == 0.0


texts = st.text(st.characters(codec="utf-8"), max_size=40)
indexes = st.integers(0, 2**48 - 1)
origins = st.builds(
    Origin,
    segment_id=st.uuids(),
    stream_id=st.uuids(),
    continues=st.none() | st.uuids(),
    client=st.builds(ClientInfo, texts, texts),
    label=texts,
    labels=st.dictionaries(texts, texts, max_size=16),
    started_at=st.datetimes(datetime(1970, 1, 2), datetime(9899, 12, 30), timezones=st.timezones()).map(  # noqa: DTZ001
        lambda moment: moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)
    ),
    start_index=indexes,
    audio=st.builds(AudioFormat, st.integers(1, 192_000), st.integers(1, 8)),
    gap_policy=st.sampled_from(GapPolicy),
)


@given(origins, st.lists(st.builds(Gap, indexes, indexes), max_size=5))
def test_what_is_known_while_a_recording_grows_reads_back(origin: Origin, gaps: list[Gap]) -> None:
    assert read_open_sidecar(open_sidecar(origin, gaps)) == (origin, gaps)


@pytest.mark.parametrize("started_at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(8999, 12, 31, 23, 59, tzinfo=UTC)])
@pytest.mark.parametrize("index", [0, MAX_INDEX - 1])
def test_whenever_a_stream_may_start_its_sidecars_read_back(started_at: datetime, index: int) -> None:
    origin = replace(ORIGIN, started_at=time_at(started_at, index, ORIGIN.audio), start_index=index)
    restored, _ = read_open_sidecar(open_sidecar(origin, []))
    assert abs(restored.started_at - origin.started_at) < timedelta(milliseconds=1)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
paths = st.sampled_from(
    [
        *((name,) for name in json.loads(open_sidecar(ORIGIN, GAPS))),
        *(("client", name) for name in ("name", "version", "label")),
        *(("format", name) for name in ("sample_rate", "channels")),
        ("labels", "room"),
    ]
)


@given(paths, values)
def test_a_damaged_field_is_a_value_error_or_harmless(path: tuple[str, ...], value: object) -> None:
    fields = json.loads(open_sidecar(ORIGIN, GAPS))
    inner = fields
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    try:
        origin, gaps = read_open_sidecar(json.dumps(fields))
    except ValueError:
        return
    assert sum(gap.samples for gap in gaps) >= 0
    assert final_sidecar(origin, gaps, ENDED, WAV).encode()
    assert recording_name(time_at(origin.started_at, origin.start_index, ORIGIN.audio), origin.label)


@given(paths)
def test_a_missing_field_is_a_value_error_that_names_it(path: tuple[str, ...]) -> None:
    fields = json.loads(open_sidecar(ORIGIN, GAPS))
    inner = fields
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    if path in {("version",), ("continues",), ("labels", "room")}:
        read_open_sidecar(json.dumps(fields))
        return
    with pytest.raises(ValueError, match=rf"^{'.'.join(path)} is missing$"):
        read_open_sidecar(json.dumps(fields))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        open_sidecar(ORIGIN, GAPS).replace("2026-11-23T15:35:00.848Z", "0001-01-01T00:00:00+14:00"),
        open_sidecar(ORIGIN, GAPS).replace("32000", "Infinity"),
        open_sidecar(ORIGIN, GAPS).replace("8000", "null"),
        open_sidecar(ORIGIN, GAPS)[:200],
    ],
)
def test_what_is_no_sidecar_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_open_sidecar(text)


@given(st.text())
def test_any_other_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_open_sidecar(text)
