from __future__ import annotations

from plugandtell.analytics.subtitles import as_srt, as_vtt
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn

TURNS = (
    Turn(Party.AGENT, Span(0, 1500), "Hello."),
    Turn(Party.CALLER, Span(3_600_001, 3_602_000), "A < B &\n\nC --> D"),
)
CALL = Transcript(4_000_000, (Party.AGENT, Party.CALLER), "en", TURNS, Engine("x", "1"))


def test_srt_numbers_its_blocks_and_names_who_speaks() -> None:
    assert as_srt(CALL) == (
        "1\n00:00:00,000 --> 00:00:01,500\nagent: Hello.\n\n2\n01:00:00,001 --> 01:00:02,000\ncaller: A < B & C --> D\n"
    )


def test_vtt_escapes_what_would_be_a_tag_or_end_the_block() -> None:
    assert as_vtt(CALL) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v agent>Hello.\n\n"
        "01:00:00.001 --> 01:00:02.000\n<v caller>A &lt; B &amp; C --&gt; D\n"
    )


def test_one_channel_names_nobody() -> None:
    mono = Transcript(2000, (Party.SPEAKER,), "en", (Turn(Party.SPEAKER, Span(0, 1500), "Hello."),), Engine("x", "1"))
    assert as_srt(mono).endswith("\nHello.\n")
    assert as_vtt(mono).endswith("\nHello.\n")


def test_a_call_in_which_nobody_spoke_has_no_block() -> None:
    silent = Transcript(2000, (Party.SPEAKER,), None, (), Engine("x", "1"))
    assert as_srt(silent) == ""
    assert as_vtt(silent) == "WEBVTT\n"
