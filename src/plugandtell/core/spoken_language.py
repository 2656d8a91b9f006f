"""Which language each piece of a channel is in: one for most of it, another where that is plain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLAIN: Final = 0.85
"""How likely another language must be than the channel's, of the languages there are to choose from."""

LEAST_SAMPLES: Final = 24_000
"""How long a piece must be for that (1.5 s): on less, Whisper takes French for anything."""


def assign_languages(
    chances: Sequence[Mapping[str, float] | None], samples: Sequence[int], languages: Sequence[str]
) -> list[str]:
    """The language of each piece.

    Args:
        chances: For each piece how likely it is to be in a language; None where nobody knows. What is not in
            `languages` does not count.
        samples: How long each piece is.
        languages: Those to choose from, at least one; the first one where nothing is known.
    """
    weighed = [_among(chance, languages) for chance in chances]
    main = _most_likely(weighed, samples, languages)
    return [
        _other_than(main, chance) if chance and length >= LEAST_SAMPLES else main
        for chance, length in zip(weighed, samples, strict=True)
    ]


def _among(chances: Mapping[str, float] | None, languages: Sequence[str]) -> dict[str, float] | None:
    """The chances of the languages there are to choose from, adding up to 1."""
    if chances is None:
        return None
    known = {language: chances.get(language, 0.0) for language in languages}
    total = sum(known.values())
    return {language: chance / total for language, chance in known.items()} if total else None


def _most_likely(
    weighed: Sequence[Mapping[str, float] | None], samples: Sequence[int], languages: Sequence[str]
) -> str:
    sums = dict.fromkeys(languages, 0.0)
    for chances, length in zip(weighed, samples, strict=True):
        for language, chance in (chances or {}).items():
            sums[language] += chance * length
    return max(sums, key=lambda language: sums[language])


def _other_than(main: str, chances: Mapping[str, float]) -> str:
    best = max(chances, key=lambda language: chances[language])
    return best if chances[best] >= PLAIN else main
