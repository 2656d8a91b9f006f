"""What was recorded is found again: the real commands on what a real server left."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from tests.support.processes import Outcome, finished, running, running_server
from tests.support.recordings import read_wav, recordings
from tests.support.speech import RATE, sentence, silence
from tests.support.watching import until

if TYPE_CHECKING:
    from pathlib import Path


async def ours(folder: Path, *arguments: str, encoding: str = "utf-8") -> Outcome:
    return await finished(folder, "recordings", *arguments, environment={"PYTHONIOENCODING": encoding})


async def test_what_was_recorded_is_listed_shown_copied_and_removed(tmp_path: Path) -> None:
    spoken = np.concatenate([sentence(2), silence(1.5), sentence(1)])
    soundfile.write(tmp_path / "talk.wav", spoken, RATE)
    async with running_server(tmp_path, "--silence=1") as (_, url):
        client = await finished(tmp_path, "client", f"--server={url}", "--input=talk.wav", "--pace=fast", "--label=lab")
        assert client.status == 0, client.stderr
    first, second = recordings(tmp_path / "audio")

    listed = await ours(tmp_path, "list", "--json")
    assert [json.loads(line)["path"] for line in listed.stdout.splitlines()] == [str(second.path), str(first.path)]

    shown = await ours(tmp_path, "show", first.sidecar["segment_id"][:8], encoding="ascii")
    assert first.sidecar["sha256"] in shown.stdout
    assert "#" in shown.stdout
    assert shown.stdout.isascii()

    copied = await ours(tmp_path, "export", first.path.name, "--to=out")
    assert soundfile.read(tmp_path / copied.stdout.strip(), dtype="int16")[0].tobytes() == read_wav(first.path)

    assert (await ours(tmp_path, "delete", "last", "--yes")).stdout == f"{second.path.name}\n"
    assert [found.path for found in recordings(tmp_path / "audio")] == [first.path]
    unknown = await ours(tmp_path, "show", second.path.name)
    assert unknown.status == 5
    assert "`plugandtell recordings list` shows all" in unknown.stderr
    assert len(unknown.stderr.splitlines()) == 1


async def test_what_is_being_recorded_is_left_alone(tmp_path: Path) -> None:
    async with running_server(tmp_path) as (_, url):
        pipe = subprocess.PIPE
        async with running(tmp_path, "client", f"--server={url}", "--input=-", stdin=pipe) as client:
            assert client.process.stdin is not None
            client.process.stdin.write(sentence(3).astype("<i2").tobytes())
            await client.process.stdin.drain()
            (part,) = await until(lambda: list((tmp_path / "audio").glob("*.wav.part")))
            growing = part.name.removesuffix(".wav.part")
            refused = await ours(tmp_path, "delete", growing, "--yes")
            assert refused.status == 5
            assert "grows still" in refused.stderr
            assert "0 deleted" in (await ours(tmp_path, "prune", "--keep-free=1000000TB")).stdout
            client.process.stdin.close()
            assert (await client.outcome()).status == 0
    (found,) = recordings(tmp_path / "audio")
    assert found.path.stem == growing
