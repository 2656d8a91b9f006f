"""The half of the screen that shows a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.status import Phase, SavedStatus, ServerStatus, StreamStatus
from plugandtell.terminal.bars import bar, waveform
from plugandtell.terminal.spans import Line, Look, Span, cut, cut_middle, foreign_text, width_of
from plugandtell.terminal.view import Row, most_wanted
from plugandtell.terminal.wording import counted, seconds, size

if TYPE_CHECKING:
    from plugandtell.terminal.glyphs import Glyphs

_SHORTEST_WAVEFORM, _LONGEST_WAVEFORM = 8, 60
_SILENCE_SHOWN_FROM_S = 0.5
_SILENCE_BAR = 12
_NAME_COLUMNS = 20


def server_rows(status: ServerStatus, columns: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """What there is to say of a server, in so many columns and at most so many rows."""
    top = [Row(0, headline(status, columns, glyphs)), Row(2, _traffic(status))]
    lines = most_wanted(top, rows)
    room = rows - len(lines)
    if room <= 0:
        return lines
    for_saved = min(1 + 2 * len(status.saved), max(2, room // 2)) if status.saved else 0
    streams = _streams(status, columns, max(1, room - for_saved - 1), glyphs)
    if room > len(streams) + for_saved:
        streams = [(), *streams]
    lines += streams[: max(1, room - for_saved)]
    if (left := rows - len(lines)) > 0:
        lines += _saved(status, columns, left, glyphs)
    return lines[:rows]


def headline(status: ServerStatus, columns: int, glyphs: Glyphs) -> Line:
    """Whether it listens, and where."""
    match status.phase:
        case Phase.STARTING:
            return (Span(f"{glyphs.off} starting", Look.QUIET),)
        case Phase.FINISHING:
            return (Span(f"{glyphs.on} saving what is open", Look.BUSY),)
        case Phase.RUNNING:
            url = cut_middle(foreign_text(status.url), max(0, columns - 15), glyphs.more)
            return (Span(f"{glyphs.on} listening", Look.GOOD), Span(f"  {url}", Look.QUIET))


def _traffic(status: ServerStatus) -> Line:
    spans = [Span(counted(status.stream_count, "stream")), Span(f", {size(status.bytes_per_s)}/s", Look.QUIET)]
    if status.unsaved_s:
        spans.append(Span(f", {seconds(status.unsaved_s)} being saved", Look.BUSY))
    if status.free_bytes is not None:
        spans.append(Span(f", {size(status.free_bytes)} free", Look.QUIET))
    return tuple(spans)


def _streams(status: ServerStatus, columns: int, room: int, glyphs: Glyphs) -> list[Line]:
    if not status.streams:
        return [(Span("nobody is connected", Look.QUIET),)]
    lines: list[Line] = []
    two_lines = 2 * len(status.streams) <= room
    for stream in status.streams:
        lines.append(_stream(stream, status.silence_limit_s, columns, glyphs))
        if two_lines and stream.file is not None:
            lines.append((Span("  " + cut_middle(foreign_text(stream.file), columns - 2, glyphs.more), Look.QUIET),))
    rest = status.stream_count - len(status.streams)
    if len(lines) > room or rest > 0:
        hidden = rest + len(status.streams) - max(0, room - 1)
        return [*lines[: room - 1], (Span(f"and {hidden} more", Look.QUIET),)]
    return lines


def _stream(stream: StreamStatus, silence_limit_s: float, columns: int, glyphs: Glyphs) -> Line:
    sign, look = (glyphs.on, Look.GOOD) if stream.is_connected else (glyphs.alert, Look.WARM)
    name = cut(foreign_text(stream.label), max(4, min(_NAME_COLUMNS, columns // 3)), glyphs.more)
    spans = [Span(f"{sign} ", look), Span(name, Look.STRONG)]
    if stream.file is None:
        spans.append(Span("  silent" if stream.is_connected else "  gone", Look.QUIET))
        return tuple(spans)
    spans.append(Span(f"  recording {seconds(stream.seconds)}", Look.GOOD))
    if not stream.is_connected:
        spans.append(Span("  waiting for its client", Look.WARM))
    elif stream.silence_s >= _SILENCE_SHOWN_FROM_S:
        spans.append(Span(f"  silence {stream.silence_s:.1f} ", Look.QUIET))
        if (room := min(_SILENCE_BAR, columns - width_of(spans))) >= 4:
            spans += bar(stream.silence_s / silence_limit_s, room, glyphs, Look.WARM)
    return tuple(spans)


def _saved(status: ServerStatus, columns: int, room: int, glyphs: Glyphs) -> list[Line]:
    folder = cut_middle(foreign_text(status.audio_dir), max(4, columns - 12), glyphs.more)
    title: Line = (Span(f"{counted(status.saved_count, 'recording')} in ", Look.QUIET), Span(folder))
    if not status.saved or room < 2:
        return [title][:room]
    lines: list[Line] = [(), title] if room > 2 + 2 * len(status.saved) else [title]
    room -= len(lines)
    for saved in status.saved:
        entry = _recording(saved, columns, glyphs, with_name=room >= 2)
        if room < len(entry):
            break
        lines += entry
        room -= len(entry)
    return lines


def _recording(saved: SavedStatus, columns: int, glyphs: Glyphs, *, with_name: bool) -> list[Line]:
    """Its length and its waveform; its name below, or in their place where there is one line only."""
    length = f"{seconds(saved.seconds):>7}  "
    name = foreign_text(saved.file)
    sign = Span(f"{glyphs.done} ", Look.GOOD)
    room = columns - 2 - len(length)
    shape = waveform(saved.levels_db, min(room, _LONGEST_WAVEFORM), glyphs) if room >= _SHORTEST_WAVEFORM else ""
    if not with_name:
        only: Line = (sign, Span(cut_middle(name, columns - 2, glyphs.more)))
        return [only]
    first: Line = (sign, Span(length), Span(shape, Look.SERVER))
    second: Line = (Span("  " + cut_middle(name, columns - 2, glyphs.more), Look.QUIET),)
    return [first, second]
