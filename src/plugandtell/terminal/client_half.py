"""The half of the screen that shows a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.gate import GateState
from plugandtell.core.status import ClientStatus, LineState, Phase
from plugandtell.core.talk import TalkState
from plugandtell.terminal.bars import bar, graph, meter
from plugandtell.terminal.spans import Line, Look, Span, cut_middle, foreign_text, width_of
from plugandtell.terminal.view import Row, most_wanted
from plugandtell.terminal.wording import counted, seconds, size

if TYPE_CHECKING:
    from plugandtell.terminal.glyphs import Glyphs

_LABEL_COLUMNS = 8
_LONGEST_BAR = 48
_ROWS_BESIDE_GRAPH = 10
_HIGHEST_GRAPH = 6
_LINES = {
    LineState.CONNECTING: ("connecting", Look.WARM),
    LineState.CONNECTED: ("connected", Look.GOOD),
    LineState.LOST: ("lost, trying again", Look.BAD),
}


def client_rows(status: ClientStatus, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """What there is to say of a client, in so many columns and at most so many rows."""
    graph_rows = max(1, min(_HIGHEST_GRAPH, rows - _ROWS_BESIDE_GRAPH))
    heard = graph(status.heard.levels_db, status.heard.marks, columns, graph_rows, glyphs)
    all_rows = [
        Row(0, headline(status, columns, glyphs)),
        Row(6, ()),
        Row(2, _level(status, columns, glyphs)),
        *(Row(4, line) for line in heard),
        Row(7, ()),
        Row(5, _labelled("from", _source(status, columns, glyphs))),
        Row(1, _connection(status, columns, glyphs)),
        Row(3, _labelled("waiting", _waiting(status))),
        Row(8, _labelled("sent", _sent(status))),
        Row(4, _labelled("saved", _saved(status, columns, glyphs))),
    ]
    return most_wanted(all_rows, rows)


def headline(status: ClientStatus, columns: int, glyphs: Glyphs) -> Line:
    """The state of the gate, in a few words."""
    state, look = _state(status)
    spans = [Span(f"{glyphs.on if look is not Look.QUIET else glyphs.off} ", look), Span(state, look)]
    if status.gate is GateState.PAUSE and look is Look.WARM:
        spans.append(Span(f"  {status.silence_s:.1f} of {status.silence_limit_s:g} s  ", Look.PLAIN))
        room = min(columns - width_of(spans), _LONGEST_BAR // 2)
        if room >= 6:
            spans += bar(status.silence_s / status.silence_limit_s, room, glyphs, Look.WARM)
    elif status.gate is GateState.VOICE and look is Look.GOOD:
        spans.append(Span(f"  {seconds(status.voice_s)}"))
    elif status.talk is TalkState.SILENT:
        spans.append(Span("  space: talk", Look.QUIET))
    return tuple(spans)


def _state(status: ClientStatus) -> tuple[str, Look]:
    if status.phase is not Phase.RUNNING:
        return ("starting", Look.QUIET) if status.phase is Phase.STARTING else ("saving what is left", Look.BUSY)
    if status.talk in (TalkState.MUTED, TalkState.SILENT):
        return ("MUTED" if status.talk is TalkState.MUTED else "not talking"), Look.BAD
    match status.gate:
        case GateState.VOICE:
            return "voice", Look.GOOD
        case GateState.PAUSE:
            return "pause", Look.WARM
        case GateState.LISTENING:
            return "talking" if status.talk is TalkState.TALKING else "listening", Look.BUSY


def _level(status: ClientStatus, columns: int, glyphs: Glyphs) -> Line:
    level = f" {status.heard.peak_db:4.0f} dB"
    room = min(_LONGEST_BAR, columns - _LABEL_COLUMNS - len(level))
    if room < 4:
        return _labelled("level", (Span(level.strip()),))
    shown = status.heard.peak_db
    return _labelled("level", (*meter(shown, room, glyphs), Span(level, Look.QUIET)))


def _source(status: ClientStatus, columns: int, glyphs: Glyphs) -> Line:
    length = f"  {seconds(status.captured_s)}"
    room = max(0, columns - _LABEL_COLUMNS - len(length))
    return (Span(cut_middle(foreign_text(status.source), room, glyphs.more)), Span(length, Look.QUIET))


def _connection(status: ClientStatus, columns: int, glyphs: Glyphs) -> Line:
    word, look = _LINES[status.line]
    sign = glyphs.alert if look is Look.BAD else glyphs.on
    spans = [Span(f"{sign} {word}", look)]
    room = columns - _LABEL_COLUMNS - width_of(spans) - 2
    if room >= 12:
        spans.append(Span("  " + cut_middle(foreign_text(status.server), room, glyphs.more), Look.QUIET))
    return _labelled("server", tuple(spans))


def _waiting(status: ClientStatus) -> Line:
    spans = [Span(seconds(status.waiting_s), Look.WARM if status.waiting_s > 2 else Look.PLAIN)]
    spans.append(Span(f", {seconds(status.spooled_s)} of it on disk", Look.QUIET))
    if status.leftovers:
        spans.append(Span(f", {status.leftovers} left over", Look.WARM))
    if status.lost_s:
        spans.append(Span(f", {seconds(status.lost_s)} LOST", Look.BAD))
    return tuple(spans)


def _sent(status: ClientStatus) -> Line:
    return (Span(size(status.sent_bytes)), Span(f", {size(status.bytes_per_s)}/s", Look.QUIET))


def _saved(status: ClientStatus, columns: int, glyphs: Glyphs) -> Line:
    spans = [Span(counted(status.recordings, "recording"), Look.GOOD if status.recordings else Look.QUIET)]
    room = columns - _LABEL_COLUMNS - width_of(spans) - 2
    if status.latest is not None and room >= 12:
        spans.append(Span("  " + cut_middle(foreign_text(status.latest), room, glyphs.more), Look.QUIET))
    return tuple(spans)


def _labelled(label: str, line: Line) -> Line:
    return (Span(f"{label:<{_LABEL_COLUMNS}}", Look.QUIET), *line)
