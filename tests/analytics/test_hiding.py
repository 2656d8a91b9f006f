from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from plugandtell.analytics.calls_cli import app
from plugandtell.analytics.database import open_calls
from plugandtell.core.call import CallOptions, Stage
from plugandtell.core.errors import InvalidSetting
from tests.analytics.features.conversation import CALLER, call, turn
from tests.analytics.samples import NOON

if TYPE_CHECKING:
    from pathlib import Path

RATE = 16_000
SAID = call(turn(CALLER, 1000, "Call 555-1234 now."))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Holds a call that was transcribed, and one that was not."""
    rng = np.random.default_rng(1)
    soundfile.write(tmp_path / "a.wav", rng.uniform(-0.5, 0.5, (RATE * 3, 2)), RATE)

    async def fill() -> None:
        async with open_calls(None, tmp_path) as calls:
            for call_id in ("aa", "bb"):
                await calls.add(call_id, (tmp_path / "a.wav").as_uri(), "a.wav", CallOptions(), NOON)
            await calls.keep_result("aa", Stage.TRANSCRIPTION, SAID, NOON)

    asyncio.run(fill())
    return tmp_path


def hide(data_dir: Path, call_id: str, *flags: str) -> int:
    """Run the command."""
    where = ["--to", str(data_dir / "hidden.wav"), "--data-dir", str(data_dir)]
    return int(app(["hide", call_id, *where, *flags], result_action="return_value"))


def test_the_audio_is_written_without_the_number(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hide(data_dir, "aa", "--cover", "mute") == 0
    assert capsys.readouterr().out == f"{data_dir / 'hidden.wav'}  1 hidden\n"
    before, after = (soundfile.read(data_dir / name)[0] for name in ("a.wav", "hidden.wav"))
    number = slice(RATE * 1300 // 1000, RATE * 1550 // 1000)
    assert not after[number].any()
    assert np.abs(after[: RATE * 1100 // 1000] - before[: RATE * 1100 // 1000]).max() < 1e-3
    assert np.abs(after[RATE * 1750 // 1000 :] - before[RATE * 1750 // 1000 :]).max() < 1e-3


def test_a_call_without_a_transcript_is_refused(data_dir: Path) -> None:
    with pytest.raises(InvalidSetting, match="transcribed"):
        hide(data_dir, "bb")
    assert not (data_dir / "hidden.wav").exists()


def test_the_recording_itself_is_never_written_over(data_dir: Path) -> None:
    before = (data_dir / "a.wav").read_bytes()
    with pytest.raises(InvalidSetting, match="another file than the recording"):
        app(["hide", "aa", "--to", str(data_dir / "a.wav"), "--data-dir", str(data_dir)], result_action="return_value")
    assert (data_dir / "a.wav").read_bytes() == before
