from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.api import AnalyticsSettings, analyze, new_call_id, open_analytics, url_of
from plugandtell.analytics.settings import EngineSettings, ServiceName, SpeechEngine, StoreSettings, TextEngine
from plugandtell.core.call import CallState, Stage
from plugandtell.core.errors import InputNotFound, StoreUnreachable
from tests.support.http_server import Answer, web_server
from tests.support.speech import sentence, silence, write_wav

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_named_by_its_url_and_a_url_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a call é.wav"
    file.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert url_of("a call é.wav") == url_of(file) == file.as_uri()
    assert url_of("s3://calls/a.wav") == "s3://calls/a.wav"


@pytest.mark.parametrize(("name", "why"), [("missing.wav", "no such file"), (".", "a folder")])
async def test_what_is_no_file_is_said_before_any_work_begins(name: str, why: str) -> None:
    with pytest.raises(InputNotFound, match=why):
        await analyze(name)


def test_ids_are_new_each_time() -> None:
    assert len({new_call_id() for _ in range(1000)}) == 1000


async def test_a_call_is_analysed_in_one_line_and_says_nothing_by_itself(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_wav(tmp_path / "call.wav", silence(0.5), sentence(2), silence(0.5))
    with web_server() as server:
        heard = {"text": "I want to complain.", "language": "english"}
        server.answers["/v1/audio/transcriptions"] = Answer(json.dumps(heard).encode())
        engines = EngineSettings(speech=SpeechEngine.REMOTE, speech_url=f"{server.url}/v1", text=TextEngine.RULES)
        settings = AnalyticsSettings(StoreSettings(data_dir=tmp_path / "data"), engines)
        report = await analyze(tmp_path / "call.wav", settings=settings)
    assert report.state is CallState.COMPLETE
    assert set(report.results) == set(Stage)
    assert capfd.readouterr() == ("", "")
    async with open_analytics(settings) as analytics:
        changes = [change async for change in analytics.events(report.call_id)]
        assert (await analytics.report(report.call_id)) == report
    assert changes[-1].state is CallState.COMPLETE


async def test_an_error_in_the_block_comes_out_as_it_is(tmp_path: Path) -> None:
    settings = AnalyticsSettings(StoreSettings(data_dir=tmp_path / "data"))
    with pytest.raises(StoreUnreachable, match="refused"):
        async with open_analytics(settings, [ServiceName.ERRORS]):
            raise StoreUnreachable("database", "postgresql://db", "refused")
