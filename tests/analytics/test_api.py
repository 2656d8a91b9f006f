from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.api import analyze, new_call_id, url_of
from plugandtell.core.errors import InputNotFound

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
