"""A chat endpoint on this machine that gives scripted answers, one after another."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: a status, the whole body, and headers; `stalls` sends nothing until the server ends."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    stalls: bool = False


def says(content: object) -> Reply:
    """A chat completion with that content; what is no text is written as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    return Reply(json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())


@dataclass
class ChatStub:
    """What runs: its address, and what it was asked, with path, headers and body."""

    url: str
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)


@contextmanager
def chat_stub(*replies: Reply) -> Iterator[ChatStub]:
    """Answer with these in turn, and with the last one from then on."""
    ends = threading.Event()
    left = list(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stub.asked.append((self.path, dict(self.headers), body))
            reply = left.pop(0) if len(left) > 1 else left[0]
            if reply.stalls:
                ends.wait()
                return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is the base's)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub = ChatStub(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield stub
        finally:
            ends.set()
            server.shutdown()
            thread.join()
