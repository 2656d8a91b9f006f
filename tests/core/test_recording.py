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
    gap_line,
    gaps_within,
    origin_line,
    read_final_gaps,
    read_final_sidecar,
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
    token_name="alice",
)
GAPS = [Gap(40_000, 8_000)]
ENDED = Ended(32_000, 64_000, EndReason.SILENCE, 20_000, 5, 6)
WAV = WavFile("2026-11-23T15-35-00.848Z_laptop.wav", 32_000, 64_044, "0" * 64)
FLAC = WavFile("2026-11-23T15-35-00.848Z_laptop.flac", 32_000, 30_000, "1" * 64, "2" * 64)
SAFE = set(string.ascii_letters + string.digits + "-_.")


def open_sidecar(origin: Origin, gaps: list[Gap]) -> str:
    return origin_line(origin) + "".join(map(gap_line, gaps))


@pytest.mark.parametrize(
    ("label", "suffix", "expected"),
    [
        ("laptop", "", "2026-11-23T15-35-00.848Z_laptop"),
        ("laptop", "-2", "2026-11-23T15-35-00.848Z_laptop-2"),
        ("", "", "2026-11-23T15-35-00.848Z_client"),
        ("../../etc/passwd", "", "2026-11-23T15-35-00.848Z_etc-passwd"),
        ("C:\\CON", "", "2026-11-23T15-35-00.848Z_C-CON"),
        ("Büro\n\x00 2", "", "2026-11-23T15-35-00.848Z_B-ro-2"),
        ("日本語", "", "2026-11-23T15-35-00.848Z_client"),
        ("-rf", "", "2026-11-23T15-35-00.848Z_rf"),
        ("x" * 300, "", "2026-11-23T15-35-00.848Z_" + "x" * 40),
        ("x" * 39 + " yz", "", "2026-11-23T15-35-00.848Z_" + "x" * 39),
    ],
)
def test_a_name_tells_when_and_who(label: str, suffix: str, expected: str) -> None:
    assert recording_name(STARTED_AT, label, suffix) == expected


@given(st.text(st.characters()))
def test_a_name_is_safe_whatever_the_label(label: str) -> None:
    name = recording_name(STARTED_AT, label, "-2")
    assert set(name) <= SAFE
    assert name.startswith("2026-11-23T15-35-00.848Z_")
    assert len(name) <= 80
    assert not name.endswith((".", "_", "-"))


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
        "client": {"name": "plugandtell-client", "version": "0.1.0", "label": "laptop", "token_name": "alice"},
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


def test_the_sidecar_of_a_flac_has_the_hash_of_its_samples_too() -> None:
    text = final_sidecar(ORIGIN, GAPS, ENDED, FLAC)
    assert json.loads(text) == json.loads(final_sidecar(ORIGIN, GAPS, ENDED, WAV)) | {
        "format": {"container": "flac", "encoding": "flac", "sample_rate": 16_000, "channels": 1},
        "file": "2026-11-23T15-35-00.848Z_laptop.flac",
        "size_bytes": 30_000,
        "sha256": "1" * 64,
        "pcm_sha256": "2" * 64,
    }
    assert read_final_sidecar(text) == (ORIGIN, ENDED, FLAC)
    assert read_final_gaps(text) == GAPS


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
    assert fields["voiced_samples"] is None  # nobody knows any more
    assert fields["voiced_share"] is None


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
    token_name=st.none() | texts,
)


@given(origins, st.lists(st.builds(Gap, indexes, indexes), max_size=5))
def test_what_is_known_while_a_recording_grows_reads_back(origin: Origin, gaps: list[Gap]) -> None:
    assert read_open_sidecar(open_sidecar(origin, gaps)) == (origin, gaps)


@given(origins)
def test_a_sidecar_can_be_looked_at_in_a_terminal(origin: Origin) -> None:
    assert all(character.isprintable() or character == "\n" for character in final_sidecar(origin, GAPS, ENDED, WAV))
    assert origin_line(origin)[:-1].isprintable()


@given(origins, st.sampled_from(EndReason))
def test_a_whole_sidecar_reads_back(origin: Origin, reason: EndReason) -> None:
    voiced = 0 if reason is EndReason.RECOVERED else 7
    ended = Ended(origin.start_index, origin.start_index + 10, reason, voiced, 5, 6)
    assert read_final_sidecar(final_sidecar(origin, GAPS, ended, WAV)) == (origin, ended, WAV)


def test_the_gaps_of_a_whole_sidecar_read_back() -> None:
    assert read_final_gaps(final_sidecar(ORIGIN, GAPS, ENDED, WAV)) == GAPS
    assert read_final_gaps(final_sidecar(ORIGIN, [], ENDED, WAV)) == []
    with pytest.raises(ValueError, match="gaps is missing"):
        read_final_gaps(origin_line(ORIGIN))


def test_an_open_sidecar_is_no_whole_one_nor_the_other_way_round() -> None:
    with pytest.raises(ValueError, match=r"."):
        read_final_sidecar(origin_line(ORIGIN))
    with pytest.raises(ValueError, match=r"."):
        read_open_sidecar(final_sidecar(ORIGIN, GAPS, ENDED, WAV))


def test_a_gap_that_a_crash_cut_short_is_none() -> None:
    text = open_sidecar(ORIGIN, [*GAPS, Gap(50_000, 100)])
    last = len(gap_line(Gap(50_000, 100)))
    for cut in range(2, last + 1):
        assert read_open_sidecar(text[:-cut]) == (ORIGIN, GAPS)


@pytest.mark.parametrize(
    ("policy", "samples", "gaps", "end_index"),
    [
        (GapPolicy.FILL, 20, [Gap(110, 5)], 120),
        (GapPolicy.FILL, 12, [Gap(110, 2)], 112),
        (GapPolicy.FILL, 10, [], 110),
        (GapPolicy.DROP, 20, [Gap(110, 5)], 125),
        (GapPolicy.DROP, 10, [], 110),
    ],
)
def test_a_gap_that_the_file_does_not_hold_is_none(
    policy: GapPolicy, samples: int, gaps: list[Gap], end_index: int
) -> None:
    origin = replace(ORIGIN, start_index=100, gap_policy=policy)
    assert gaps_within(origin, [Gap(110, 5), Gap(90, 5)], samples) == (gaps, end_index)


@pytest.mark.parametrize("started_at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(8999, 12, 31, 23, 59, tzinfo=UTC)])
@pytest.mark.parametrize("index", [0, MAX_INDEX - 1])
def test_whenever_a_stream_may_start_its_sidecars_read_back(started_at: datetime, index: int) -> None:
    origin = replace(ORIGIN, started_at=time_at(started_at, index, ORIGIN.audio), start_index=index)
    restored, _ = read_open_sidecar(origin_line(origin))
    assert abs(restored.started_at - origin.started_at) < timedelta(milliseconds=1)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
paths = st.sampled_from(
    [
        *((name,) for name in json.loads(origin_line(ORIGIN))),
        *(("client", name) for name in ("name", "version", "label")),
        *(("format", name) for name in ("sample_rate", "channels")),
        ("labels", "room"),
    ]
)


@given(paths, values)
def test_a_damaged_field_is_a_value_error_or_harmless(path: tuple[str, ...], value: object) -> None:
    fields = json.loads(origin_line(ORIGIN))
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
    fields = json.loads(origin_line(ORIGIN))
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
        origin_line(ORIGIN).replace("2026-11-23T15:35:00.848Z", "0001-01-01T00:00:00+14:00"),
        origin_line(ORIGIN).replace("32000", "Infinity"),
        origin_line(ORIGIN)[:200],
    ],
)
def test_what_is_no_sidecar_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_open_sidecar(text)


@given(st.text())
def test_any_other_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_open_sidecar(text)
