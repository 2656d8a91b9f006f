from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.audio import AudioFormat
from plugandtell.core.kept_audio import KeptAudio

MONO = AudioFormat(16_000, 1)


def kept(text: str) -> KeptAudio:
    """A letter is a sample, an underscore a missing one."""
    audio = KeptAudio(MONO)
    for letter in text:
        if letter == "_":
            audio.skip(1)
        else:
            audio.add(letter.encode() * 2)
    return audio


def shown(pcm: bytes) -> str:
    return pcm[::2].decode().replace("\0", "_")


@given(st.text("ab_", max_size=12), st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_it_gives_back_what_it_was_given_and_was_not_forgotten(text: str, a: int, b: int, forgotten: int) -> None:
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    audio = kept(text)
    audio.forget(min(forgotten, start))
    assert audio.end == len(text)
    assert shown(audio.filled(start, end)) == text[start:end]
    heard = list(audio.heard(start, end))
    assert "_".join(shown(pcm) for _, pcm in heard) == "_".join(filter(None, text[start:end].split("_")))
    assert all(text[first : first + len(pcm) // 2] == shown(pcm) for first, pcm in heard)
    missing = len(text[start:]) - len(text[start:].lstrip("_"))
    assert audio.next_heard(start) == start + missing


def test_what_is_forgotten_takes_no_memory_and_a_hole_never_did() -> None:
    audio = kept("aaaa")
    audio.skip(10**12)
    audio.add(b"bbbb")
    assert audio.size_bytes == 12
    audio.forget(3)
    assert audio.size_bytes == 6
    audio.forget(10**12)
    assert audio.size_bytes == 4
    audio.add(b"")
    assert audio.end == 10**12 + 6
