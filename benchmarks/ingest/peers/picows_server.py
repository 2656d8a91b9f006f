"""A minimal recorder on `picows`, on uvloop: `python picows_server.py FOLDER`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server
from wav import Recorder


class Stream(WSListener):
    """One connection."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recording = recorder.start()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Append audio; answer the close frame."""
        if frame.msg_type == WSMsgType.BINARY:
            self._recording.write(frame.get_payload_as_memoryview())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The end."""
        self._recording.end()


async def main(recorder: Recorder) -> None:
    """Serve until SIGTERM."""

    def accept(request: WSUpgradeRequest) -> Stream:
        return Stream(recorder)

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await ws_create_server(accept, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()


uvloop.run(main(Recorder(Path(sys.argv[1]))))
