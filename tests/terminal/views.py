"""What a screen could have to show."""

from __future__ import annotations

from hypothesis import strategies as st

from plugandtell.core.gate import GateState
from plugandtell.core.status import (
    ClientStatus,
    Heard,
    LineState,
    LogLine,
    Phase,
    SavedStatus,
    ServerStatus,
    StreamStatus,
)
from plugandtell.core.talk import TalkState
from plugandtell.terminal.view import View

VOICE = ClientStatus(
    phase=Phase.RUNNING,
    source="Built-in microphone",
    server="ws://127.0.0.1:3000",
    line=LineState.CONNECTED,
    gate=GateState.VOICE,
    voice_s=4.2,
    heard=Heard((-50, -20, -10, -6), "lvvv", -15.0),
    captured_s=12.0,
    waiting_s=0.4,
    spooled_s=0.4,
    sent_bytes=134_400,
    bytes_per_s=32_000.0,
)
LISTENING = ServerStatus(
    phase=Phase.RUNNING,
    url="ws://127.0.0.1:3000",
    audio_dir="/home/ada/audio",
    streams=(StreamStatus("laptop", file="2026-11-23T15-35-00.848Z_laptop.wav", seconds=4.2, silence_s=1.5),),
    stream_count=1,
    saved=(SavedStatus("2026-11-23T15-34-00.848Z_laptop.wav", "laptop", 6.6, "silence", (-50, -10, -6, -50)),),
    saved_count=1,
    bytes_per_s=32_000.0,
    free_bytes=120_000_000_000,
)
WARNING = LogLine("client", "warning", "12:00:01", "connection lost  error=reset")
INFO = LogLine("server", "info", "12:00:02", "connected  program=plugandtell-client")

_text = st.sampled_from(["", "laptop", "日本語" * 9, "\x1b[2J", "2026-11-23T15-34-00.848Z_laptop.wav" * 2, "é\u202e"])
_seconds = st.sampled_from([0.0, 0.04, 2.5, 59.99, 3600.0, 1e6])
_lengths = st.sampled_from([0, 1, 60, 130])
_levels = _lengths.map(lambda length: tuple(-(at * 7) % 61 - 60 for at in range(length)))
_heard = _lengths.map(lambda length: Heard(tuple(-(at % 61) for at in range(length)), ("lvpm" * 33)[:length], -20.0))


clients = st.builds(
    ClientStatus,
    phase=st.sampled_from(Phase),
    source=_text,
    server=_text,
    line=st.sampled_from(LineState),
    gate=st.sampled_from(GateState),
    silence_s=_seconds,
    silence_limit_s=st.floats(0.1, 100),
    voice_s=_seconds,
    heard=_heard,
    talk=st.sampled_from(TalkState),
    waiting_s=_seconds,
    lost_s=_seconds,
    leftovers=st.integers(0, 3),
    sent_bytes=st.integers(0, 10**15),
    recordings=st.integers(0, 10**9),
    latest=st.none() | _text,
)
_streams = st.builds(StreamStatus, _text, st.booleans(), st.none() | _text, _seconds, _seconds)
_saved = st.builds(SavedStatus, _text, _text, _seconds, st.just("silence"), _levels)
servers = st.builds(
    ServerStatus,
    phase=st.sampled_from(Phase),
    url=_text,
    audio_dir=_text,
    streams=st.lists(_streams, max_size=3).map(tuple),
    stream_count=st.integers(6, 1000),
    saved=st.lists(_saved, max_size=3).map(tuple),
    saved_count=st.integers(0, 10**6),
    free_bytes=st.none() | st.integers(0, 10**15),
)
lines = st.builds(
    LogLine, st.sampled_from(["", "client"]), st.sampled_from(["info", "error"]), st.just("12:00:00"), _text
)
views = st.builds(
    View,
    client=st.none() | clients,
    server=st.none() | servers,
    log=st.lists(lines, max_size=4).map(tuple),
    has_keys=st.booleans(),
    is_stopping=st.booleans(),
)
