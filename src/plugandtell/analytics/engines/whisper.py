"""The default engine: Whisper in CTranslate2, by faster-whisper.

What Whisper needs so that it can be trusted with calls: it is given speech only, a chosen or restricted language for
each piece of it, no text that went before, and no chance (its own answer to bad text is to draw lots, which gives
another text every time); what it imagines is left out, and what it repeats is decoded anew.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.audio import pad_or_trim

from plugandtell.analytics.engines.speech_to_text import RATE, Capabilities
from plugandtell.analytics.engines.voice_activity import find_speech, without_quiet_edges
from plugandtell.core.errors import EngineFailed, EngineUnavailable
from plugandtell.core.hearing import Heard, Utterance
from plugandtell.core.packing import Chunk, Piece, pack
from plugandtell.core.plausibility import Claim, is_imagined, repeats_itself
from plugandtell.core.spoken_language import assign_languages
from plugandtell.core.transcript import Engine, Span, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_CODES: Final[Mapping[str, str]] = {"jv": "jw"}
"""ISO 639-1 codes that Whisper spells in its own way."""

_CONTINUING: Final = ("-", ".", ",", "'", "\u2019", "%")
"""What begins a part of a word, since words begin with a space: high|-end, 8 a|.m, 89|.99."""

# CTranslate2 takes less than the 30 s that Whisper itself looks at, in proportion less time; the language shows in it.
_LANGUAGE_FRAMES: Final = 1000
_LANGUAGE_SAMPLES: Final = _LANGUAGE_FRAMES * RATE // 100
_LEAST_FOR_LANGUAGE: Final = RATE


@dataclass(frozen=True, slots=True)
class Tuning:
    """How Whisper is run. The defaults are what benchmarks/analytics/transcription found best.

    Attributes:
        beam_size: Alternatives that are followed at once.
        batch_chunks: Chunks that are decoded at once; memory grows with it.
        chunk_s: Speech in a chunk, at most.

    Raises:
        ValueError: A field is out of range.
    """

    beam_size: int = 5
    batch_chunks: int = 4
    chunk_s: float = 29.0

    def __post_init__(self) -> None:
        if self.beam_size < 1 or self.batch_chunks < 1:
            raise ValueError(f"beam_size {self.beam_size} and batch_chunks {self.batch_chunks} must be at least 1")
        if not 1 <= self.chunk_s <= 30:
            raise ValueError(f"chunk_s is {self.chunk_s:g}, but must be from 1 to 30, which is all that Whisper sees")


class Whisper:
    """A Whisper model, loaded."""

    def __init__(self, model: Path | str, *, name: str, threads: int, tuning: Tuning = Tuning()) -> None:
        """Load it.

        Args:
            model: Folder of a CTranslate2 model.
            name: What it is called in transcripts.
            threads: Of one transcription.
            tuning: How it is run.

        Raises:
            EngineUnavailable: It is no such model.
        """
        try:
            self._model = WhisperModel(str(model), compute_type="int8", cpu_threads=threads)
        except (RuntimeError, ValueError, OSError) as exc:
            hint = "name a folder with a CTranslate2 model of Whisper with --model, or leave it out"
            raise EngineUnavailable(f"the Whisper model {str(model)!r}", str(exc), hint) from exc
        self._pipeline = BatchedInferencePipeline(self._model)
        self._tuning = tuning
        self._engine = Engine(f"whisper-{name}", version("faster-whisper"))

    @property
    def engine(self) -> Engine:
        """What it is called in a transcript."""
        return self._engine

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(frozenset(self._model.supported_languages), has_word_times=True, can_stream=False)

    def transcribe(self, samples: NDArray[np.float32], language: str | None, languages: Sequence[str]) -> Heard:
        """See `SpeechToText`."""
        codes = [self._code(code) for code in ([language] if language else languages)]
        try:
            pieces = find_speech(samples)
            assigned = self._languages(samples, pieces, codes)
            batches = _batches(pieces, assigned, self._tuning)
            utterances = [utterance for batch in batches for utterance in self._hear(samples, batch)]
        except (RuntimeError, ValueError) as exc:  # CTranslate2 has no errors of its own
            raise EngineFailed(self._engine.name, str(exc)) from exc
        utterances.sort(key=lambda utterance: utterance.span.start_ms)
        return Heard(_main_language(pieces, assigned) if utterances else None, tuple(utterances))

    def _code(self, language: str) -> str:
        code = _CODES.get(language, language)
        if not self.capabilities.can_hear(code):
            hint = "choose another with --language, or another --model"
            raise EngineUnavailable(self._engine.name, f"it does not know the language {language!r}", hint)
        return code

    def _languages(self, samples: NDArray[np.float32], pieces: Sequence[Piece], codes: Sequence[str]) -> list[str]:
        if len(codes) == 1:
            return [codes[0]] * len(pieces)
        chances = [self._chances(samples[piece.start : piece.end]) for piece in pieces]
        if pieces and not any(chances):  # no piece is long enough, but together they may tell
            chances = [self._chances(_joined(samples, pieces), least=0)] * len(pieces)
        return assign_languages(chances, [piece.samples for piece in pieces], codes)

    def _chances(self, sound: NDArray[np.float32], least: int = _LEAST_FOR_LANGUAGE) -> dict[str, float] | None:
        """How likely the sound is in each language; None for too little of it."""
        if len(sound) < least:
            return None
        features = self._model.feature_extractor(sound[:_LANGUAGE_SAMPLES])
        encoded = self._model.encode(pad_or_trim(features, _LANGUAGE_FRAMES))
        found = self._model.model.detect_language(encoded)[0]
        return {token.strip("<|>"): float(chance) for token, chance in found}

    def _hear(self, samples: NDArray[np.float32], batch: Sequence[_Part]) -> Iterable[Utterance]:
        """What is said in chunks of one language."""
        for part, segment in self._decode(samples, batch):
            if repeats_itself(segment.text):
                # A phrase of three tokens may not come again: what is left when Whisper cannot go round in circles.
                for _, again in self._decode(samples, [part], repetition_penalty=1.1, no_repeat_ngram_size=3):
                    yield from _utterances(samples, part.chunk, again)
            else:
                yield from _utterances(samples, part.chunk, segment)

    def _decode(
        self, samples: NDArray[np.float32], batch: Sequence[_Part], **options: float
    ) -> Iterable[tuple[_Part, _Segment]]:
        """Decode chunks at once. Times in the segments are those in their chunk, in samples."""
        sound = np.concatenate([_joined(samples, part.chunk.pieces) for part in batch])
        starts = np.cumsum([0, *(part.chunk.samples for part in batch)]).tolist()
        segments, _ = self._pipeline.transcribe(
            sound,
            language=batch[0].language,
            beam_size=self._tuning.beam_size,
            batch_size=len(batch),
            clip_timestamps=[{"start": start / RATE, "end": end / RATE} for start, end in pairwise(starts)],
            word_timestamps=True,
            temperature=0.0,
            **options,
        )
        for segment in segments:
            if segment.words:
                # `seek` is where its chunk begins, in hundredths of a second, rounded down.
                index = bisect_right(starts, (segment.seek + 1) * RATE // 100) - 1
                yield batch[index], _segment(segment, starts[index])


@dataclass(frozen=True, slots=True)
class _Part:
    """A chunk and the language that it is in."""

    chunk: Chunk
    language: str


@dataclass(frozen=True, slots=True)
class _Token:
    """A word as Whisper gives it, where it is in its chunk, in samples, and how likely it is."""

    text: str
    first: int
    last: int
    chance: float


@dataclass(frozen=True, slots=True)
class _Segment:
    """What Whisper says of a chunk."""

    text: str
    words: tuple[_Token, ...]
    no_speech: float
    log_probability: float


def _segment(found: Any, start: int) -> _Segment:
    words: list[_Token] = []
    for word in found.words:
        first, last = round(word.start * RATE) - start, round(word.end * RATE) - start
        token = _Token(word.word, first, max(first, last), float(word.probability))
        if words and word.word.startswith(_CONTINUING):
            words[-1] = _glued(words[-1], token)
        elif token.text.strip():
            words.append(replace(token, text=token.text.strip()))
    return _Segment(found.text.strip(), tuple(words), float(found.no_speech_prob), float(found.avg_logprob))


def _glued(word: _Token, rest: _Token) -> _Token:
    """A word that Whisper has cut at a hyphen, a dot or an apostrophe, whole."""
    return _Token(f"{word.text}{rest.text.rstrip()}", word.first, rest.last, (word.chance + rest.chance) / 2)


def _joined(samples: NDArray[np.float32], pieces: Sequence[Piece]) -> NDArray[np.float32]:
    return np.concatenate([samples[piece.start : piece.end] for piece in pieces])


def _batches(pieces: Sequence[Piece], languages: Sequence[str], tuning: Tuning) -> Iterable[Sequence[_Part]]:
    """Chunks of at most as many as are decoded at once, each batch in one language."""
    parts: dict[str, list[_Part]] = {}
    for language, run in groupby(zip(pieces, languages, strict=True), key=lambda pair: pair[1]):
        chunks = pack((piece for piece, _ in run), round(tuning.chunk_s * RATE))
        parts.setdefault(language, []).extend(_Part(chunk, language) for chunk in chunks)
    for own in parts.values():
        for at in range(0, len(own), tuning.batch_chunks):
            yield own[at : at + tuning.batch_chunks]


def _utterances(samples: NDArray[np.float32], chunk: Chunk, segment: _Segment) -> Iterable[Utterance]:
    """The segment's words, parted as the pieces of its chunk are, without what was imagined."""
    placed = [(chunk.place(word.first, word.last), word) for word in segment.words]
    for index, words in groupby(placed, key=lambda pair: pair[0].piece):
        own = [replace(word, first=place.start, last=place.end) for place, word in words]
        text = " ".join(word.text for word in own)
        confidence = sum(word.chance for word in own) / len(own)
        sound_s = chunk.pieces[index].samples / RATE
        if not is_imagined(Claim(text, sound_s, confidence, segment.no_speech, segment.log_probability)):
            yield _utterance(text, confidence, _trimmed(samples, own))


def _utterance(text: str, confidence: float, tokens: Sequence[_Token]) -> Utterance:
    words = tuple(Word(token.text, _span(token), round(token.chance, 3)) for token in tokens)
    return Utterance(Span(words[0].span.start_ms, words[-1].span.end_ms), text, words, round(confidence, 3))


def _trimmed(samples: NDArray[np.float32], words: Sequence[_Token]) -> list[_Token]:
    """The words, of which the first begins and the last ends with a sound: Whisper adds the pause beside them."""
    first, _ = without_quiet_edges(samples, words[0].first, words[0].last)
    trimmed = [replace(words[0], first=first), *words[1:]]
    _, last = without_quiet_edges(samples, trimmed[-1].first, trimmed[-1].last)
    return [*trimmed[:-1], replace(trimmed[-1], last=last)]


def _span(word: _Token) -> Span:
    return Span(word.first * 1000 // RATE, word.last * 1000 // RATE)


def _main_language(pieces: Sequence[Piece], languages: Sequence[str]) -> str:
    lengths: dict[str, int] = {}
    for piece, language in zip(pieces, languages, strict=True):
        lengths[language] = lengths.get(language, 0) + piece.samples
    main = max(lengths, key=lambda language: lengths[language])
    return next((code for code, own in _CODES.items() if own == main), main)
