"""The gate tool: its figures, its picture, and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plugandtell.client.gate_picture import as_json, picture, table
from plugandtell.client.gate_report import SILENT_DBFS, GateReport, JudgedFrame, report_on
from plugandtell.core.gate import GateSettings
from plugandtell.core.protocol.messages import EndReason
from plugandtell.core.segmenter import Ended
from plugandtell.sample import sample_path
from tests.support.processes import finished

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SETTINGS = GateSettings(
    frame_samples=1,
    pre_roll_samples=0,
    hangover_samples=1,
    hold_samples=5,
    position_samples=1,
    start_voiced=1,
    start_window=1,
    keep_voiced=1,
    keep_window=1,
)


class Loud:
    """A detector that takes what is loud for voice."""

    frame_samples = 1

    def probability(self, frame: bytes) -> float:
        return float(frame != bytes(2))


async def chunks_of(letters: str) -> AsyncIterator[bytes]:
    for letter in letters:
        yield b"\x00\x40" if letter == "#" else bytes(2)


async def test_the_report_tells_what_a_server_would_record() -> None:
    report = await report_on(chunks_of("..##...##......#......"), Loud(), SETTINGS)
    assert [(one.start_index, one.end_index, one.voiced_samples) for one in report.segments] == [
        (2, 10, 4),
        (15, 17, 1),
    ]
    assert (report.samples, report.sent_share) == (22, 10 / 22)
    assert [frame.probability for frame in report.frames] == [
        float(letter == "#") for letter in "..##...##......#......"
    ]
    assert report.frames[2].peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert report.frames[0].peak_dbfs == SILENT_DBFS


async def test_proof_is_the_evidence_as_a_share_of_what_opens_the_gate() -> None:
    settings = replace(SETTINGS, start_voiced=2, start_window=4)
    report = await report_on(chunks_of(".##.#..."), Loud(), settings)
    assert [frame.proof for frame in report.frames] == [0, 0.5, 1, 1, 1.5, 1, 0.5, 0.5]


async def test_a_file_without_a_recording() -> None:
    report = await report_on(chunks_of("...."), Loud(), SETTINGS)
    assert (report.segments, report.sent_share) == ((), 0.0)
    assert table(report) == "0 recordings, 0% of 0:00.0 sent"


FRAMES = tuple(
    JudgedFrame(*figures) for figures in [(0.0, -60.0, 0.0), (0.5, -30.0, 0.0), (1.0, 0.0, 0.5), (1.0, -6.0, 1.25)] * 5
)
REPORT = GateReport(
    samples=320_000,
    frame_samples=16_000,
    frames=FRAMES,
    segments=(
        Ended(16_000, 64_000, EndReason.SILENCE, 32_000, 0, 0),
        Ended(160_000, 320_000, EndReason.END, 160_000, 0, 0),
    ),
)


def test_the_picture_shows_level_voice_and_recordings_over_time() -> None:
    assert picture(REPORT, width=28, row_s=20).splitlines() == [
        "        0:00.0    0:10.0",
        "level    ▄█▇ ▄█▇ ▄█▇ ▄█▇ ▄█▇",
        "voice    ▄██ ▄██ ▄██ ▄██ ▄██",
        "proof     ▄█  ▄█  ▄█  ▄█  ▄█",
        "sent     1━━      2━━━━━━━━━",
    ]


def test_a_long_file_is_cut_into_rows() -> None:
    rows = picture(REPORT, width=18, row_s=10).split("\n\n")
    assert [row.splitlines()[0].split() for row in rows] == [["0:00.0"], ["0:10.0"]]
    assert rows[1].splitlines()[4] == "sent    2━━━━━━━━━"


def test_a_time_that_has_no_room_is_left_out() -> None:
    assert picture(REPORT, width=21, row_s=20).splitlines()[0] == "        0:00.0"
    assert picture(REPORT, width=26, row_s=18).split("\n\n")[1].splitlines()[0] == "        0:18.0"


def test_the_table_has_a_line_for_each_recording() -> None:
    head, first, second, whole = table(REPORT).splitlines()
    assert head.split() == ["#", "start", "end", "length", "voiced", "proof", "peak", "left", "out"]
    assert first.split() == ["1", "0:01.0", "0:04.0", "3.00", "s", "67%", "125%", "0", "dBFS"]
    assert second.split() == ["2", "0:10.0", "0:20.0", "10.00", "s", "100%", "125%", "0", "dBFS", "6.00", "s"]
    assert whole == "2 recordings, 65% of 0:20.0 sent"


def test_json_holds_every_figure() -> None:
    fields = json.loads(as_json(REPORT, {"file": "a.wav"}))
    assert fields["file"] == "a.wav"
    assert [(one["start_s"], one["end_s"]) for one in fields["segments"]] == [(1, 4), (10, 20)]
    assert fields["frames"]["probability"] == [frame.probability for frame in FRAMES]
    assert fields["frames"]["proof"] == [frame.proof for frame in FRAMES]
    assert [one["proof"] for one in fields["segments"]] == [1.25, 1.25]
    assert fields["frames"]["peak_dbfs"] == [frame.peak_dbfs for frame in FRAMES]


async def test_the_command_shows_the_sample(tmp_path: Path) -> None:
    shown = await finished(tmp_path, "gate", str(sample_path()), environment={"COLUMNS": "100"})
    assert shown.status == 0, shown.stderr
    assert "3 recordings" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 100
    figures = await finished(tmp_path, "gate", str(sample_path()), "--json", "--vad=webrtc:3")
    assert json.loads(figures.stdout)["detector"] == "webrtc:3"
    assert len(json.loads(figures.stdout)["segments"]) == 3


async def test_settings_of_the_client_in_the_file_hold_here_too(tmp_path: Path) -> None:
    (tmp_path / "plugandtell.toml").write_text('[client]\nlabel = "x"\nvad = "none"\n[server]\nsilence = 1.0\n')
    figures = await finished(tmp_path, "gate", str(sample_path()), "--json")
    assert json.loads(figures.stdout)["settings"]["vad"] == "none"
    assert json.loads(figures.stdout)["settings"]["silence"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["missing.wav"], 5, "missing.wav"),
        (["x.wav", "--vad=magic"], 2, "--vad"),
        (["x.wav", "--row=0"], 2, "--row"),
        ([], 2, "--file"),
    ],
)
async def test_what_cannot_be_shown_is_named(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    outcome = await finished(tmp_path, "gate", *arguments)
    assert outcome.status == status
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr
