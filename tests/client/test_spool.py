"""The spool as a whole: whose streams are whose, what is left over, and the limit that holds for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from plugandtell.client.spool import Spool, is_same_host
from plugandtell.core.audio import SPEECH
from plugandtell.core.store import Stretch
from tests.support.wire import RATE, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.client.spool import SpooledStream

URL = "ws://127.0.0.1:3000"
LIMIT_BYTES = 1_600_000


def new_spool(folder: Path, limit_bytes: int = LIMIT_BYTES) -> Spool:
    return Spool(folder, limit_bytes, SPEECH)


def speak(stream: SpooledStream, seconds: int, start_s: int = 0) -> None:
    for second in range(start_s, start_s + seconds):
        stream.store.append(second * RATE, pcm(second * RATE, RATE))


def size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*/*"))


def test_what_a_client_leaves_is_found_as_the_stream_it_was(tmp_path: Path) -> None:
    spool = new_spool(tmp_path)
    older, newer = hello(label="älter"), hello(label="newer")
    for greeting in (older, newer):
        stream = spool.begin(greeting, URL)
        speak(stream, 2)
        spool.release(stream)
    found = new_spool(tmp_path).leftovers()
    assert {item.hello.stream_id: item.hello for item in found} == {older.stream_id: older, newer.stream_id: newer}
    assert {item.server for item in found} == {URL}
    stretches = [item for item in found[0].store.kept() if isinstance(item, Stretch)]
    assert sum(item.end - item.start for item in stretches) == 2 * RATE


def test_what_was_said_is_for_no_other_user(tmp_path: Path) -> None:
    assert new_spool(tmp_path / "state" / "spool").folder.stat().st_mode & 0o777 == 0o700


def test_what_a_client_still_holds_is_nobodys_leftover(tmp_path: Path) -> None:
    first, second = new_spool(tmp_path), new_spool(tmp_path)
    held, left = first.begin(hello(), URL), first.begin(hello(), URL)
    first.release(left)
    (found,) = second.leftovers()
    assert found.folder == left.folder
    assert new_spool(tmp_path).leftovers() == first.leftovers() == []
    for spool, stream in ((first, held), (second, found)):
        spool.remove(stream)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_client_that_died_at_its_first_step_leaves_nothing_to_speak_of(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "hello.json").write_text('{"ser')
    with capture_logs() as lines:
        assert new_spool(tmp_path).leftovers() == []
    assert lines == []
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"server":"x","hello":"x"}', '{"server":1,"hello":1}'])
def test_audio_without_a_hello_is_kept_and_said(tmp_path: Path, text: str) -> None:
    spool = new_spool(tmp_path)
    stream = spool.begin(hello(), URL)
    speak(stream, 1)
    spool.release(stream)
    (stream.folder / "hello.json").write_text(text)
    with capture_logs() as lines:
        assert new_spool(tmp_path).leftovers() == []
    assert [(line["event"], line["log_level"]) for line in lines] == [("spool_damaged", "error")]
    assert list(stream.folder.glob("*.chunk"))


def test_damaged_files_stay_when_their_stream_is_sent(tmp_path: Path) -> None:
    spool = new_spool(tmp_path)
    stream = spool.begin(hello(), URL)
    (stream.folder / "00000001.damaged").write_bytes(b"x")
    spool.remove(stream)
    assert (stream.folder / "00000001.damaged").exists()
    with capture_logs() as lines:
        assert new_spool(tmp_path).leftovers() == []
    assert lines == []


def test_when_the_limit_is_reached_the_oldest_audio_of_all_streams_goes(tmp_path: Path) -> None:
    earlier = new_spool(tmp_path)
    left = earlier.begin(hello(), URL)
    speak(left, 10)
    earlier.release(left)
    spool = new_spool(tmp_path)
    own = spool.begin(hello(), URL)
    with capture_logs() as lines:
        for second in range(100):
            speak(own, 1, second)
            assert size_bytes(tmp_path) <= LIMIT_BYTES
    assert not list(left.folder.glob("*.chunk"))
    assert {line["event"] for line in lines} == {"spool_full"}
    lost = own.store.take_lost()
    assert lost[0][0] == 0
    kept_from = lost[-1][1]
    assert 40 * RATE < kept_from < 60 * RATE
    assert own.store.read(kept_from, kept_from + RATE) == pcm(kept_from, RATE)
    spool.release(own)


def test_what_another_client_holds_is_not_deleted(tmp_path: Path) -> None:
    other, spool = new_spool(tmp_path), new_spool(tmp_path)
    held = other.begin(hello(), URL)
    speak(held, 45)
    before = size_bytes(held.folder)
    own = spool.begin(hello(), URL)
    with capture_logs():
        speak(own, 20)
    assert size_bytes(held.folder) == before
    assert own.store.take_lost()
    other.release(held)
    spool.release(own)


def test_damaged_files_go_before_what_can_still_be_sent(tmp_path: Path) -> None:
    spool = new_spool(tmp_path)
    own = spool.begin(hello(), URL)
    damaged = own.folder / "00000000.damaged"
    damaged.write_bytes(bytes(LIMIT_BYTES // 2))
    with capture_logs():
        speak(own, 30)
    assert not damaged.exists()
    assert own.store.take_lost() == []
    spool.release(own)


def test_a_stream_that_its_client_is_about_to_lock_is_left_alone(tmp_path: Path) -> None:
    spool = new_spool(tmp_path)
    begun = tmp_path / "begun"
    begun.mkdir()
    own = spool.begin(hello(), URL)
    with capture_logs():
        speak(own, 100)
    assert list(begun.iterdir()) == []  # to try its lock would have made the lock's file
    spool.release(own)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ws://host.example:3000", "wss://host.example", True),
        ("ws://127.0.0.1:3000", "ws://localhost:4000/v1/stream", True),
        ("ws://[::1]:3000", "ws://127.0.0.1:3000", True),
        ("ws://host.example", "ws://other.example", False),
        ("ws://host.example", "ws://127.0.0.1:3000", False),
    ],
)
def test_which_addresses_are_one_host(one: str, other: str, same: bool) -> None:
    assert is_same_host(one, other) is same
