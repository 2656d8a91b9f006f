from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.engines.choice import make_engine, threads
from plugandtell.analytics.engines.moonshine import Moonshine
from plugandtell.analytics.settings import EngineSettings, SpeechEngine
from plugandtell.core.errors import EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def test_the_default_is_whisper(data_dir: Path) -> None:
    engine = make_engine(EngineSettings(threads=1), data_dir)
    assert engine.engine.name == "whisper-base"
    assert engine.capabilities.can_hear("fr")


def test_a_folder_gives_a_model_its_name(data_dir: Path) -> None:
    folder = data_dir / "models" / "faster-whisper-base"
    make_engine(EngineSettings(threads=1), data_dir)  # joins it
    assert (
        make_engine(EngineSettings(model=str(folder), threads=1), data_dir).engine.name == "whisper-faster-whisper-base"
    )


def test_a_remote_engine_gets_its_key_from_the_environment(tmp_path: Path) -> None:
    settings = EngineSettings(speech=SpeechEngine.REMOTE, speech_url="https://example.com/v1", speech_model="large")
    engine = make_engine(settings, tmp_path, {"PLUGANDTELL_SPEECH_KEY": "sk-secret\n"})
    assert engine.engine.name == "remote-large"


def test_an_engine_that_is_not_installed_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "moonshine_voice.moonshine_api", None)
    with pytest.raises(EngineUnavailable, match=r"plugandtell\[moonshine\]"):
        make_engine(EngineSettings(speech=SpeechEngine.MOONSHINE), tmp_path)
    with pytest.raises(EngineUnavailable, match="not installed"):
        Moonshine()


def test_threads_are_as_wanted_or_one_a_core_and_not_too_many() -> None:
    assert threads(3) == 3
    assert 1 <= threads(0) <= 4
