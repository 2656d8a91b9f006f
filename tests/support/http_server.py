"""A web server on this machine that answers as it is told."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Answer:
    """What a path answers.

    Attributes:
        body: What is sent.
        status: The HTTP status.
        promised_bytes: The length that the header names, where it is not that of the body.
        stalls: Whether, after the body, nothing more is sent until the server ends.
    """

    body: bytes = b""
    status: int = 200
    promised_bytes: int | None = None
    stalls: bool = False


@dataclass
class WebServer:
    """What runs: its address, what it answers, what it was asked, with the headers of each request, and was posted."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)


@contextmanager
def web_server() -> Iterator[WebServer]:
    """Serve on a free port until the block is left."""
    ends = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_POST(self) -> None:
            served.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(with_body=True)

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = served.answers.get(self.path, Answer())
            served.asked.append((self.command, self.path, dict(self.headers)))
            if told.status == 200:
                served.answers[self.path] = Answer(body)
            self.send_response(told.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _answer(self, *, with_body: bool) -> None:
            served.asked.append((self.command, self.path, dict(self.headers)))
            answer = served.answers.get(self.path.split("?")[0], Answer(status=404))
            length = len(answer.body) if answer.promised_bytes is None else answer.promised_bytes
            self.send_response(answer.status)
            self.send_header("Content-Length", str(length))
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            if with_body:
                self.wfile.write(answer.body)
                if answer.stalls:
                    self.wfile.flush()
                    ends.wait()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is the base's)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = WebServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield served
        finally:
            ends.set()
            server.shutdown()
            thread.join()
