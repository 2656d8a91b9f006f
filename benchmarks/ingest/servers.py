"""The servers that are measured: how each is started, and how it is spoken to."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.ingest.building import PEERS, node, node_peers, python_of_peers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OURS = PLUGANDTELL = "plugandtell"
NODE_WS = "node-ws"
FLOOR = "raw-tcp"


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to measure.

    Attributes:
        dialect: What the generator speaks to it.
        path: Of the upgrade request.
        command: How it is started, given the folder that it records into. It prints the port, or a URL with it, when
            it listens, and stops on SIGTERM.
        does_write: Whether it leaves a WAV file for each stream.
        is_live: Whether the file grows as audio comes.
        what: What it does, in a few words.
    """

    name: str
    dialect: str
    path: str
    command: Callable[[Path], list[str]]
    what: str
    does_write: bool = True
    is_live: bool = True


def with_workers(count: int) -> Peer:
    """Ours, in so many processes."""
    return replace(ALL[OURS], name=f"{OURS} x{count}", command=lambda folder: [*_ours(folder), f"--workers={count}"])


def _ours(folder: Path) -> list[str]:
    flags = ["--port=0", "--max-streams=4000", "--max-streams-per-address=0", f"--audio-dir={folder}"]
    return [sys.executable, "-m", "plugandtell", "server", *flags, f"--log-dir={folder.parent / 'logs'}"]


def _node(script: str, *words: str) -> Callable[[Path], list[str]]:
    return lambda folder: [str(node()), str(node_peers() / script), str(folder), *words]


def _python(script: str) -> Callable[[Path], list[str]]:
    return lambda folder: [str(python_of_peers()), str(PEERS / script), str(folder)]


_ALL = (
    Peer(OURS, "plugandtell", "/v1/stream", _ours, "`plugandtell-server` with its defaults"),
    Peer(NODE_WS, "plain", "/", _node("ws.js", "write"), "Node `ws`, each message appended to its WAV by `writeSync`"),
    Peer(
        "node-ws-memory",
        "plain",
        "/",
        _node("ws.js", "memory"),
        "Node `ws`, messages kept in memory, the WAV written at the end",
        is_live=False,
    ),
    Peer("node-ws-stream", "plain", "/", _node("ws.js", "stream"), "Node `ws`, each message put into a write stream"),
    Peer(
        "node-socket.io",
        "socketio",
        "/socket.io/?EIO=4&transport=websocket",
        _node("socketio.js", "write"),
        "Node `socket.io`, each message appended to its WAV by `writeSync`",
    ),
    Peer("picows", "plain", "/", _python("picows_server.py"), "`picows` on uvloop, each message appended to its WAV"),
    Peer(
        "websockets",
        "plain",
        "/",
        _python("websockets_server.py"),
        "`websockets` on uvloop, `async for`, each message appended to its WAV",
    ),
    Peer(FLOOR, "raw", "/", _python("raw_server.py"), "TCP on uvloop, bytes counted, nothing else", does_write=False),
)
ALL = {peer.name: peer for peer in _ALL}
DEFAULT = [name for name in ALL if name != "node-ws-stream"]
