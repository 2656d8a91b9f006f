"""A client that does not wait for the answer to its handshake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.faults.raw import HANDSHAKE, frame

if TYPE_CHECKING:
    import pytest

    from tests.server.conftest import StartServer


async def test_wrong_frames_behind_a_handshake_that_is_refused_leave_no_traceback(
    start_server: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with start_server() as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(HANDSHAKE.replace(b"/v1/stream", b"/v9/stream") + frame(3, b"x"))
        assert await asyncio.wait_for(reader.read(), 10) is not None
        writer.close()
    assert [record for record in caplog.records if record.exc_info] == []
