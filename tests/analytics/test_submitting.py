from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.audio_source import fetched
from plugandtell.analytics.submitting import Submission, Submitting, of_file, of_recording, of_url
from plugandtell.core.call import AgentChannel, CallOptions
from plugandtell.core.errors import InputNotAudio, InputNotFound, InvalidSetting
from plugandtell.core.recording import Container
from plugandtell.server.recorder import Recorder
from tests.server.test_recorder import ORIGIN, ended
from tests.support.audio_folder import NOON, leave_recording, segment_id
from tests.support.wire import pcm

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = CallOptions()


@dataclass
class Desk:
    """An intake that remembers."""

    calls: dict[str, tuple[str, str, CallOptions]] = field(default_factory=dict)

    async def submit(self, call_id: str, audio_url: str, source: str, options: CallOptions) -> bool:
        is_new = call_id not in self.calls
        self.calls.setdefault(call_id, (audio_url, source, options))
        return is_new


def test_a_recording_is_known_by_its_segment_and_when_it_began(tmp_path: Path) -> None:
    path = leave_recording(tmp_path, 0)
    found = of_recording(path.with_suffix(".json"), CallOptions(language="fr"))
    options = CallOptions(language="fr", started_at=NOON)
    assert found == Submission(segment_id(0), str(path), options, path=path)
    assert of_file(path, CallOptions(language="fr")) == found


def test_a_flac_is_known_like_any_recording(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, container=Container.FLAC)
    recording = recorder.start(ORIGIN)
    recording.write(pcm(100, 1000))
    path = recording.finish(ended(1000)).path
    recorder.close()
    found = of_file(path, NOTHING)
    assert (found.call_id, found.path) == (str(ORIGIN.segment_id), path)
    assert of_recording(path.with_suffix(".json"), NOTHING) == found


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"file": "../../etc/passwd"}'])
def test_what_is_no_sidecar_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputNotAudio, match="no sidecar of a finished recording"):
        of_recording(tmp_path / "a.json", NOTHING)


def test_a_recording_that_is_gone_or_changed_is_refused(tmp_path: Path) -> None:
    path = leave_recording(tmp_path, 1)
    path.write_bytes(b"RIFF")
    with pytest.raises(InputNotAudio, match="has 4 bytes instead of"):
        of_recording(path.with_suffix(".json"), NOTHING)
    path.unlink()
    with pytest.raises(InputNotAudio, match="No such file"):
        of_recording(path.with_suffix(".json"), NOTHING)


def test_another_file_is_known_by_its_audio_and_by_what_is_said_about_it(tmp_path: Path) -> None:
    first, same, other = (tmp_path / name for name in ("a.wav", "b.wav", "c.wav"))
    first.write_bytes(b"one")
    same.write_bytes(b"one")
    other.write_bytes(b"two")
    ids = [of_file(path, NOTHING).call_id for path in (first, same, other)]
    assert ids[0] == ids[1] != ids[2]
    options = [CallOptions(language="fr"), CallOptions(agent_channel=AgentChannel.SECOND)]
    assert len({ids[0], *(of_file(first, option).call_id for option in options)}) == 3


def test_a_sidecar_of_something_else_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    bare = of_file(tmp_path / "a.wav", NOTHING)
    (tmp_path / "a.json").write_text("{}")
    assert of_file(tmp_path / "a.wav", NOTHING) == bare
    recording = leave_recording(tmp_path, 1)
    mp3 = recording.with_suffix(".mp3")
    mp3.write_bytes(b"one")
    assert of_file(mp3, NOTHING).call_id == bare.call_id


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="no such file"):
        of_file(tmp_path / "a.wav", NOTHING)
    with pytest.raises(InputNotFound, match="--watch"):
        of_file(tmp_path, NOTHING)


def test_a_url_is_known_by_what_does_not_change_in_it() -> None:
    one = of_url("https://ann:pass@host/a.wav?signature=1", NOTHING)
    other = of_url("https://host/a.wav?signature=2", NOTHING)
    assert one.call_id == other.call_id == of_url("https://host/a.wav", NOTHING).call_id
    assert one.source == "https://host/a.wav"
    assert one.url == "https://ann:pass@host/a.wav?signature=1"
    assert of_url("https://host/b.wav", NOTHING).call_id != one.call_id


@pytest.mark.parametrize(
    "signature",
    [
        "X-Amz-Algorithm={0}&X-Amz-Credential={0}&X-Amz-Date={0}&X-Amz-Expires={0}&X-Amz-Signature={0}",
        "X%2DAmz%2DSignature={0}&x-amz-security-token={0}",
        "X-Goog-Date={0}&X-Goog-Signature={0}",
        "AWSAccessKeyId={0}&Signature={0}&Expires={0}",
        "Policy={0}&Signature={0}&Key-Pair-Id={0}",
        "sv={0}&st={0}&se={0}&sr={0}&sp={0}&spr={0}&skt={0}&ske={0}&sig={0}",
        "token={0}",
    ],
)
def test_two_urls_that_differ_in_the_query_are_two_calls_unless_it_is_the_signature(signature: str) -> None:
    first, again = (of_url(f"https://host/get?id=7&{signature.format(n)}", NOTHING) for n in (1, 2))
    assert first.call_id == again.call_id == of_url("https://host/get?id=7", NOTHING).call_id
    other = of_url(f"https://host/get?id=8&{signature.format(1)}", NOTHING)
    assert other.call_id != first.call_id
    assert first.source == other.source == "https://host/get"


def test_short_names_are_azure_s_only_beside_its_signature() -> None:
    assert len({of_url(f"https://host/get?st={n}", NOTHING).call_id for n in (1, 2)}) == 2


def test_what_is_no_url_has_an_id_all_the_same() -> None:
    assert of_url("https://[host/a?id=1", NOTHING).source == "https://[host/a"
    assert len({of_url(f"file:///a.wav{query}", NOTHING).call_id for query in ("", "?id=1")}) == 1


async def test_a_file_is_submitted_once_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "ä b.wav").write_bytes(b"one")
    desk, submission = Desk(), of_file(tmp_path / "ä b.wav", NOTHING)
    assert await Submitting(desk).submit(submission)
    assert not await Submitting(desk).submit(submission)
    ((url, source, _),) = desk.calls.values()
    assert source == str(tmp_path / "ä b.wav")
    with fetched(url) as path:
        assert path.read_bytes() == b"one"


async def test_a_relative_name_becomes_a_url_that_others_understand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = leave_recording(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    desk = Desk()
    await Submitting(desk).submit(of_file(path.relative_to(tmp_path), NOTHING))
    assert desk.calls[segment_id(1)][0] == path.as_uri()


async def test_a_file_for_workers_elsewhere_is_copied_first(tmp_path: Path) -> None:
    path = leave_recording(tmp_path, 1)
    desk, store = Desk(), tmp_path / "shared" / "calls"
    submitting = Submitting(desk, store.as_uri())
    await submitting.submit(of_file(path, NOTHING))
    copy = store / f"{segment_id(1)}.wav"
    assert desk.calls[segment_id(1)][0] == copy.as_uri()
    assert copy.read_bytes() == path.read_bytes()
    before = copy.stat()
    await submitting.submit(of_file(path, NOTHING))
    assert copy.stat() == before  # what is there is not copied again
    copy.write_bytes(b"half")
    await submitting.submit(of_file(path, NOTHING))
    assert copy.read_bytes() == path.read_bytes()
    assert [found.name for found in store.iterdir()] == [copy.name]


async def test_a_url_is_not_copied(tmp_path: Path) -> None:
    desk = Desk()
    await Submitting(desk, tmp_path.as_uri()).submit(of_url("https://host/a.wav", NOTHING))
    assert [url for url, _, _ in desk.calls.values()] == ["https://host/a.wav"]


async def test_nothing_can_be_copied_to_the_web(tmp_path: Path) -> None:
    path = leave_recording(tmp_path, 1)
    with pytest.raises(InvalidSetting, match=r"--audio-store is 'https://host/calls'"):
        await Submitting(Desk(), "https://ann:pass@host/calls").submit(of_file(path, NOTHING))
