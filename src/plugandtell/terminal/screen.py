"""From what is to be shown, and the size of a terminal, to its lines. Pure, and never wider or higher than that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.status import LineState, Phase
from plugandtell.terminal import client_half, server_half
from plugandtell.terminal.spans import Line, Look, Span, cut, fitted, foreign_text, width_of

if TYPE_CHECKING:
    from plugandtell.core.status import LogLine
    from plugandtell.terminal.glyphs import Glyphs
    from plugandtell.terminal.view import View

_BESIDE_FROM_COLUMNS = 76
_BESIDE_FROM_ROWS = 8
_FRAMED_FROM_COLUMNS, _FRAMED_FROM_ROWS = 30, 10
_WHOLE_FROM_COLUMNS, _WHOLE_FROM_ROWS = 24, 4
_LOG_FROM_ROWS = 12
_MOST_LOG_ROWS = 8
_CLIENT_ROWS = 14
_SEVERE_LOOKS = {"warning": Look.WARM}


def draw(view: View, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """The lines of the screen: exactly `rows` of them, each exactly `columns` wide."""
    if columns < 1 or rows < 1:
        return []
    if columns < _WHOLE_FROM_COLUMNS or rows < _WHOLE_FROM_ROWS:
        lines = [status_line(view, columns, glyphs)]
    else:
        footer = [_keys(view)]
        log = _log(view.log, columns, rows, glyphs)
        lines = _halves(view, columns, rows - len(footer) - len(log), glyphs) + log + footer
    return [fitted(line, columns) for line in (lines + [()] * rows)[:rows]]


def status_line(view: View, columns: int, glyphs: Glyphs) -> Line:
    """All of it in one line: the state of the gate first."""
    spans: list[Span] = []
    if view.client is not None:
        spans += client_half.headline(view.client, columns, glyphs)
        if view.client.line is LineState.LOST:
            spans.append(Span(f"  {glyphs.alert} server lost", Look.BAD))
        spans.append(Span(f"  {view.client.recordings} saved", Look.QUIET))
    elif view.server is not None:
        spans += server_half.headline(view.server, 0, glyphs)[:1]
        spans.append(Span(f"  {view.server.stream_count} in, {view.server.saved_count} saved", Look.QUIET))
    return tuple(spans)


def _halves(view: View, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    has_frames = rows >= _FRAMED_FROM_ROWS and columns >= _FRAMED_FROM_COLUMNS
    if view.client is None or view.server is None:
        return _client(view, columns, rows, glyphs, has_frames) or _server(view, columns, rows, glyphs, has_frames)
    if columns >= _BESIDE_FROM_COLUMNS and rows >= _BESIDE_FROM_ROWS - 2:
        gap = 0 if has_frames else 2
        left = (columns - gap) // 2
        pairs = zip(
            _client(view, left, rows, glyphs, has_frames),
            _server(view, columns - gap - left, rows, glyphs, has_frames),
            strict=True,
        )
        return [(*ours, Span(" " * gap), *theirs) for ours, theirs in pairs]
    has_frames = has_frames and rows >= 2 * _FRAMED_FROM_ROWS
    above = min(_CLIENT_ROWS, (rows + 1) // 2)
    below = rows - above
    return _client(view, columns, above, glyphs, has_frames) + _server(view, columns, below, glyphs, has_frames)


def _client(view: View, columns: int, rows: int, glyphs: Glyphs, has_frame: bool) -> list[Line]:
    if view.client is None:
        return []
    if not has_frame:
        return _filled(client_half.client_rows(view.client, columns, rows, glyphs), columns, rows)
    lines = client_half.client_rows(view.client, columns - 4, rows - 2, glyphs)
    return _framed(lines, Span("client", Look.CLIENT), columns, rows, glyphs)


def _server(view: View, columns: int, rows: int, glyphs: Glyphs, has_frame: bool) -> list[Line]:
    if view.server is None:
        return []
    if not has_frame:
        return _filled(server_half.server_rows(view.server, columns, rows, glyphs), columns, rows)
    lines = server_half.server_rows(view.server, columns - 4, rows - 2, glyphs)
    return _framed(lines, Span("server", Look.SERVER), columns, rows, glyphs)


def _filled(lines: list[Line], columns: int, rows: int) -> list[Line]:
    return [fitted(line, columns) for line in (lines + [()] * rows)[: max(0, rows)]]


def _framed(lines: list[Line], title: Span, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    top_left, top_right, bottom_left, bottom_right = tuple(glyphs.corners)
    across = columns - 2
    head = (Span(f"{top_left}{glyphs.across} ", Look.FRAME), title, Span(" ", Look.FRAME))
    rest = Span(glyphs.across * (columns - width_of(head) - 1) + top_right, Look.FRAME)
    side = Span(glyphs.down, Look.FRAME)
    inner = [(side, Span(" "), *line, Span(" "), side) for line in _filled(lines, columns - 4, rows - 2)]
    return [(*head, rest), *inner, (Span(bottom_left + glyphs.across * across + bottom_right, Look.FRAME),)]


def _log(log: tuple[LogLine, ...], columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    if rows < _LOG_FROM_ROWS:
        return []
    room = min(_MOST_LOG_ROWS, rows // 5)
    lines = [_event(line, columns, glyphs) for line in chosen(log, room)]
    return ([()] * (room - len(lines))) + lines


def chosen(log: tuple[LogLine, ...], room: int) -> list[LogLine]:
    """The last lines, the oldest first; up to half of the room is for the last warnings, however long ago."""
    latest = list(range(max(0, len(log) - room), len(log)))
    severe = [at for at in range(len(log)) if log[at].is_severe]
    missing = [at for at in severe[-(room // 2) :] if at not in latest] if room >= 2 else []
    while missing:
        at = missing.pop()
        mild = next((place for place in latest if not log[place].is_severe), None)
        if mild is None:
            break
        latest[latest.index(mild)] = at
    return [log[at] for at in sorted(latest)]


def _event(line: LogLine, columns: int, glyphs: Glyphs) -> Line:
    look = _SEVERE_LOOKS.get(line.level, Look.BAD) if line.is_severe else Look.QUIET
    sign = glyphs.alert if line.is_severe else " "
    whose = f"{line.process:<9}" if line.process else ""
    head = (Span(f"{sign} ", look), Span(f"{line.at} ", Look.FRAME), Span(f"{whose} ", _process_look(line.process)))
    text = cut(foreign_text(line.text), max(0, columns - width_of(head)), glyphs.more)
    return (*head, Span(text, look))


def _process_look(process: str) -> Look:
    return {"client": Look.CLIENT, "server": Look.SERVER, "analytics": Look.GOOD}.get(process, Look.QUIET)


def _keys(view: View) -> Line:
    if view.is_stopping or any(
        half is not None and half.phase is Phase.FINISHING for half in (view.client, view.server)
    ):
        again = "Ctrl-C ends it at once"
        return (Span(" stopping: what was heard is being saved  ", Look.BUSY), Span(again, Look.QUIET))
    if not view.has_keys:
        return _key("Ctrl-C", "stop")
    pairs = [("q", "quit")] if view.client is None else [("space", "talk on/off"), ("m", "mute"), ("q", "quit")]
    return tuple(span for key, does in pairs for span in _key(key, does))


def _key(key: str, does: str) -> Line:
    return (Span(" "), Span(f" {key} ", Look.KEY), Span(f" {does} ", Look.QUIET))
