"""What is delivered in which order, and what it never waits for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filelock import FileLock
from structlog.testing import capture_logs

from plugandtell.client.connecting import LineSettings
from plugandtell.client.delivery import Packer, prepare
from plugandtell.client.settings import ClientSettings
from plugandtell.client.spool import Spool
from plugandtell.core.audio import SPEECH
from plugandtell.core.protocol.messages import Ack, Welcome
from tests.support.wire import RATE, hello, pcm

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.client.delivery import Delivery

URL = "ws://127.0.0.1:3000"


def leave(folder: Path) -> None:
    """As a client does that dies."""
    spool = Spool(folder, 100_000_000, SPEECH)
    left = spool.begin(hello(), URL)
    left.store.append(0, pcm(0, RATE))
    spool.release(left)


def prepared(folder: Path, *, is_stopped: bool = False) -> Delivery:
    packer = Packer(LineSettings(URL, 0, 20), RATE // 10, lambda _saved, _hello: None)
    return prepare(ClientSettings(spool_dir=folder), packer, hello(), URL, lambda: is_stopped)


def folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()]


async def test_capture_does_not_wait_for_another_client_that_holds_the_spool(tmp_path: Path) -> None:
    delivery = prepared(tmp_path)
    other = FileLock(tmp_path / ".lock", thread_local=False)
    other.acquire()
    closing = asyncio.create_task(delivery.close())
    for _ in range(10):
        await asyncio.sleep(0)  # it runs as far as it can on the loop
    assert not closing.done()
    other.release()
    await closing
    assert folders(tmp_path) == []


async def test_once_stopped_no_more_leftovers_are_read(tmp_path: Path) -> None:
    leave(tmp_path)
    delivery = prepared(tmp_path, is_stopped=True)
    assert delivery.unsaved_samples == 0
    await delivery.close()
    later = prepared(tmp_path)
    assert later.unsaved_samples == RATE
    await later.close()
    assert len(folders(tmp_path)) == 1


async def test_what_the_server_has_written_and_what_only_the_spool_has_is_all_that_is_not_saved(tmp_path: Path) -> None:
    delivery = prepared(tmp_path)
    stream = delivery.own.stream
    stream.add_audio(0, pcm(0, 3 * RATE))
    stream.receive(Welcome(stream.hello.stream_id, 0, 3000, 1_048_576))
    while stream.next_message() is not None:
        pass
    stream.receive(Ack(2 * RATE))
    assert (delivery.unsaved_samples, delivery.written_s, delivery.kept_s) == (3 * RATE, 2.0, 1.0)
    await delivery.close()


async def test_a_spool_that_cannot_be_used_is_said_once(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with capture_logs() as lines:
        delivery = prepared(tmp_path)
    assert [line["event"] for line in lines] == ["spool_failed"]
    assert delivery.own.spooled is None
    await delivery.close()
