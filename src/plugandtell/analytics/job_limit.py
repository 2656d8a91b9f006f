"""When a child's job has to be done: what the child says of it moves that time, within bounds."""

from __future__ import annotations

from typing import Final

from plugandtell.analytics.framing import BadFrame, Tag

_LONGEST_AUDIO_MS: Final = 48 * 3_600_000


class JobLimit:
    """The end of a job's time, which grows with the length of its audio, and stands off while that is fetched.

    Args:
        ends_at_s: When the job has to be done if the child says nothing, on the clock of `heed`.
        per_audio_s: What is added for each second of audio.
        fetch_s: The most that fetching the audio may add; it is added once.
    """

    def __init__(self, ends_at_s: float, per_audio_s: float, fetch_s: float) -> None:
        self._ends_at_s = ends_at_s
        self._per_audio_s = per_audio_s
        self._fetch_s = fetch_s
        self._audio_s = 0.0
        self._fetching_since_s: float | None = None
        self._may_fetch = True

    @property
    def ends_at_s(self) -> float:
        """When the job has to be done, as far as is known."""
        fetching_s = 0.0 if self._fetching_since_s is None else self._fetch_s
        return self._ends_at_s + self._audio_s * self._per_audio_s + fetching_s

    def heed(self, tag: Tag, payload: bytes, now_s: float) -> None:
        """Take in what the child says before its result.

        Raises:
            ValueError: It is no length, or nothing that comes before a result (BadFrame).
        """
        if tag is Tag.LENGTH:
            self._audio_s = min(int(payload), _LONGEST_AUDIO_MS) / 1000
        elif tag is Tag.FETCHING and self._may_fetch:
            self._may_fetch = False
            self._fetching_since_s = now_s
        elif tag is Tag.FETCHED and self._fetching_since_s is not None:
            self._ends_at_s += min(now_s - self._fetching_since_s, self._fetch_s)
            self._fetching_since_s = None
        else:
            raise BadFrame(f"{tag.name} instead of a result")
