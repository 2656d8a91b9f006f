"""`plugandtell submit`: recordings become calls, on stores of our own."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

from tests.support.audio_folder import leave_recording, segment_id
from tests.support.processes import finished, running, running_server
from tests.support.recordings import recordings
from tests.support.speech import sentence, silence, write_wav

if TYPE_CHECKING:
    from pathlib import Path


async def calls(folder: Path) -> list[dict[str, Any]]:
    """All calls in the database."""
    listed = await finished(folder, "calls", "list", "--json", "--data-dir=data")
    assert listed.status == 0, listed.stderr
    return [json.loads(line) for line in listed.stdout.splitlines()]


async def test_what_a_real_server_records_becomes_calls_beside_what_was_there_before(tmp_path: Path) -> None:
    leave_recording(tmp_path / "audio", 1)
    write_wav(tmp_path / "in.wav", silence(0.5), sentence(0), silence(0.5))
    async with (
        running_server(tmp_path) as (_, url),
        running(tmp_path, "submit", "--watch=audio", "--data-dir=data") as submit,
    ):
        assert await submit.line() == f"watching {tmp_path / 'audio'}: 0 known already, 1 submitted now"
        assert (await submit.line()).startswith(segment_id(1))
        sent = await finished(tmp_path, "client", f"--server={url}", "--input=in.wav", "--pace=fast")
        assert sent.status == 0, sent.stderr
        submitted = await submit.line()
        outcome = await submit.stop(signal.SIGTERM)
    assert outcome.status == 0, outcome.stderr
    ids = {found.sidecar["segment_id"] for found in recordings(tmp_path / "audio")}
    assert submitted.split()[0] in ids
    assert {call["call_id"] for call in await calls(tmp_path)} == ids
    assert {call["state"] for call in await calls(tmp_path)} == {"waiting"}


async def test_the_next_start_says_what_is_known(tmp_path: Path) -> None:
    for number in (1, 2):
        leave_recording(tmp_path / "audio", number)
    for told in ("0 known already, 2 submitted now", "2 known already, nothing new"):
        async with running(tmp_path, "submit", "--watch=audio", "--data-dir=data") as submit:
            assert told in await submit.line()
            assert (await submit.stop()).status == 0
    assert len(await calls(tmp_path)) == 2


async def test_files_are_submitted_once_and_their_ids_printed(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    recording = leave_recording(tmp_path / "audio", 1)
    arguments = ("submit", "a.wav", str(recording), "--data-dir=data", "--language=fr")
    first = await finished(tmp_path, *arguments)
    again = await finished(tmp_path, *arguments)
    assert first.status == again.status == 0, first.stderr
    assert [line.split()[1:] for line in first.stdout.splitlines()] == [["a.wav"], [str(recording)]]
    assert again.stdout.splitlines() == [f"{line}  (known already)" for line in first.stdout.splitlines()]
    assert len(await calls(tmp_path)) == 2


async def test_what_is_no_file_is_said_before_anything_is_submitted(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    outcome = await finished(tmp_path, "submit", "a.wav", "b.wav", "--data-dir=data")
    assert outcome.status == 5
    assert "'b.wav'" in outcome.stderr
    assert not (tmp_path / "data").exists()


async def test_either_files_or_a_folder(tmp_path: Path) -> None:
    for arguments in ((), ("a.wav", "--watch=audio")):
        outcome = await finished(tmp_path, "submit", *arguments, "--data-dir=data")
        assert outcome.status == 2
        assert "--watch" in outcome.stderr
