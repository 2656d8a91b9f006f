"""The segmenter's short way comes to the same as the long one, whatever comes before and behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.audio import AudioFormat
from plugandtell.core.protocol.messages import EndReason
from plugandtell.core.segmenter import Event, Segmenter, SegmenterSettings, Write

SETTINGS = SegmenterSettings(silence_samples=10, max_samples=30, max_gaps=2)
AUDIO = AudioFormat()

steps = st.one_of(
    st.tuples(st.just("audio"), st.just(0), st.integers(0, 12)),  # goes on where the one before ended
    st.tuples(st.just("audio"), st.just(0), st.integers(1, 5)),
    st.tuples(st.just("audio"), st.integers(-8, 14), st.integers(1, 12)),
    st.tuples(st.just("position"), st.integers(-5, 12), st.integers(-6, 6) | st.none()),
    st.tuples(st.just("close"), st.just(0), st.none()),
)


def extended(segmenter: Segmenter, start: int, pcm: bytes) -> list[Event]:
    if segmenter.extend(start, AUDIO.samples_in(len(pcm))):
        return [Write(memoryview(pcm))] if pcm else []
    return segmenter.feed(start, pcm)


@given(st.lists(steps, max_size=30))
def test_audio_that_extends_a_segment_does_what_it_does_when_it_is_fed(
    script: list[tuple[str, int, int | None]],
) -> None:
    short, long = Segmenter(SETTINGS, AUDIO), Segmenter(SETTINGS, AUDIO)
    cursor = 0
    for kind, by, much in script:
        at = max(0, cursor + by)
        match kind:
            case "audio":
                pcm = bytes((at + number) % 251 for number in range(AUDIO.bytes_in(much or 0)))
                assert extended(short, at, pcm) == long.feed(at, pcm)
                cursor = at + (much or 0)
            case "position":
                voiced_to = None if much is None else max(0, min(at, cursor + much))
                assert short.advance(at, voiced_to) == long.advance(at, voiced_to)
                cursor = max(cursor, at)
            case _:
                assert short.close(EndReason.END) == long.close(EndReason.END)
        assert (short.voiced_to, short.quiet_samples) == (long.voiced_to, long.quiet_samples)
    assert short.close(EndReason.END) == long.close(EndReason.END)
