"""A transcript as subtitles: SubRip (.srt) and WebVTT (.vtt, https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugandtell.core.transcript import Party

if TYPE_CHECKING:
    from plugandtell.core.transcript import Transcript, Turn


def as_srt(transcript: Transcript) -> str:
    """SubRip: a numbered block a turn."""
    blocks = [
        f"{number}\n{_clock(turn.span.start_ms, ',')} --> {_clock(turn.span.end_ms, ',')}\n{_line(turn)}\n"
        for number, turn in enumerate(transcript.turns, start=1)
    ]
    return "\n".join(blocks)


def as_vtt(transcript: Transcript) -> str:
    """WebVTT: who speaks is in a voice tag, and what would be a tag in the text is escaped."""
    blocks = ["WEBVTT\n"]
    for turn in transcript.turns:
        text = _escaped(turn.text)
        voiced = text if turn.party is Party.SPEAKER else f"<v {turn.party.value}>{text}"
        blocks.append(f"{_clock(turn.span.start_ms, '.')} --> {_clock(turn.span.end_ms, '.')}\n{voiced}\n")
    return "\n".join(blocks)


def _line(turn: Turn) -> str:
    text = " ".join(turn.text.split())  # an empty line would end the block
    return text if turn.party is Party.SPEAKER else f"{turn.party.value}: {text}"


def _escaped(text: str) -> str:
    flat = " ".join(text.split())
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(time_ms: int, mark: str) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"
