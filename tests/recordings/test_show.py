from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import pytest

from plugandtell.core.errors import RecordingNotFound
from plugandtell.core.protocol.messages import EndReason
from plugandtell.core.recording import GapPolicy
from plugandtell.core.segmenter import Gap
from tests.recordings.leaving import SECOND, leave, tone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.recordings.conftest import Ask


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def fact(printed: str, name: str) -> str:
    """What stands behind a name, with the lines that go on with it."""
    lines = iter(printed.splitlines())
    first = next(line for line in lines if line.startswith(f"{name} "))
    more = []
    for line in lines:
        if not line.startswith(" "):
            break
        more.append(line.strip())
    return " ".join([first.removeprefix(name).strip(), *more])


def test_all_of_the_sidecar_is_told_in_words(audio: Path, ask: Ask) -> None:
    gaps = [Gap(1000 + SECOND, SECOND // 4), Gap(1000 + 2 * SECOND, SECOND // 2)]
    path = leave(
        audio,
        1,
        tone(3 * SECOND),
        token="front-desk",
        gaps=gaps,
        continues=UUID(int=7),
        twice=(160, 320),
        reason=EndReason.DISCONNECT,
    )
    told = ask("show", "last")
    assert fact(told, "started") == "2026-11-24 14:01:00 (EST)"
    assert fact(told, "ended") == "2026-11-24 14:01:03: the line was lost, and did not come back in time"
    assert fact(told, "length") == "0:03.0, 50% of it voice"
    assert fact(told, "client") == "reception (tester 1.0), token front-desk"
    assert fact(told, "label") == "room: 4"
    assert fact(told, "gaps") == (
        "2, 0.750 s in all that never came, filled with silence at 0:01.0: 0.250 s at 0:02.0: 0.500 s"
    )
    assert fact(told, "twice").startswith("0.010 s came twice within it, 0.020 s from before it")
    assert fact(told, "file") == f"{path} 96 kB, 16000 Hz, mono; still as it was saved, peak -6 dBFS"
    assert fact(told, "stream") == f"{UUID(int=99)}, samples 1000 to 49000"
    assert fact(told, "continues").startswith(str(UUID(int=7)))
    assert json.loads(path.with_suffix(".json").read_text())["sha256"] in told
    assert all(len(line) <= 80 for line in told.splitlines() if not line.startswith("file"))


def test_where_gaps_were_closed_up_they_lie_between_samples(audio: Path, ask: Ask) -> None:
    gaps = [Gap(1000 + SECOND, SECOND), Gap(1000 + 3 * SECOND, SECOND)]
    leave(audio, 1, tone(3 * SECOND), gaps=gaps, gap_policy=GapPolicy.DROP)
    assert fact(ask("show", "last"), "gaps").endswith("closed up at 0:01.0: 1.000 s at 0:02.0: 1.000 s")


def test_the_waveform_is_as_wide_as_the_terminal_and_shows_what_is_loud_and_what_is_missing(
    audio: Path, ask: Ask
) -> None:
    sound = np.concatenate([tone(SECOND, 0.8), np.zeros(SECOND, np.int16), tone(2 * SECOND, 0.4)])
    leave(audio, 1, sound, gaps=[Gap(1000 + SECOND, SECOND)])
    _, _, *rows, gap_marks, times = ask("show", "last").splitlines()[:8]
    assert rows == ["█" * 20, "█" * 20, "█" * 20 + " " * 20 + "█" * 40, "█" * 20 + " " * 20 + "█" * 40]
    assert gap_marks == " " * 20 + "░" * 20
    assert times.split() == ["0:00.0", "0:00.8", "0:01.6", "0:02.4", "0:03.2"]


def test_the_peaks_are_those_of_the_samples_whatever_their_number(audio: Path, ask: Ask) -> None:
    sound = np.zeros(100_003, np.int16)
    sound[[0, 50_500, 100_002]] = -32_768, 16_384, 3277
    leave(audio, 1, sound)
    peaks = json.loads(ask("show", "last", "--json"))["peaks"]
    assert len(peaks) == 100
    assert {place: peak for place, peak in enumerate(peaks) if peak} == {0: 1.0, 50: 0.5, 99: 0.1}


def test_scripts_get_the_sidecar_with_what_was_found(audio: Path, ask: Ask) -> None:
    path = leave(audio, 1, ending=".flac")
    told = json.loads(ask("show", "last", "--json"))
    assert told.items() >= json.loads(path.with_suffix(".json").read_text()).items()
    assert (told["path"], told["state"]) == (str(path), "intact")
    assert f"{told['sha256']} {told['pcm_sha256']}, of its samples alone" in fact(ask("show", "last"), "sha256")


def test_audio_that_was_changed_or_removed_is_said(audio: Path, ask: Ask) -> None:
    path = leave(audio, 1)
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    assert "changed since it was saved" in fact(ask("show", path.name), "file")
    path.unlink()
    told = ask("show", path.stem)
    assert "missing now" in fact(told, "file")
    assert "█" not in told
    assert json.loads(ask("show", path.stem, "--json"))["state"] == "missing"
    with pytest.raises(RecordingNotFound):
        ask("show", "last")


def test_audio_that_is_none_any_more_is_a_warning(audio: Path, warned: Ask) -> None:
    path = leave(audio, 1)
    path.write_bytes(b"no audio at all")
    assert f"warning: cannot read 'audio/{path.name}'" in warned("show", "last")


def test_a_recording_of_a_single_sample_is_shown(audio: Path, ask: Ask) -> None:
    leave(audio, 1, tone(2)[1:])
    assert "\n█\n" in ask("show", "last")
