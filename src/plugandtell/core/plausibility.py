"""Whether an engine heard what it says it heard.

Whisper learnt from subtitles. On what is no speech it writes what subtitles say there ("Thank you.", "Sous-titrage
ST' 501"), and sometimes it repeats a phrase until its room is used up (A. Radford et al., "Robust Speech Recognition
via Large-Scale Weak Supervision", 2022, section 4.5; A. Koenecke et al., "Careless Whisper", FAccT 2024).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOP_RATIO: Final = 2.4
"""Text that packs better than this repeats itself: OpenAI's own threshold for decoding anew."""

NO_SPEECH: Final = 0.6
UNSURE_LOG_PROBABILITY: Final = -1.0
"""OpenAI's own thresholds: no speech is likely, and the text is not."""

DOUBTFUL_NO_SPEECH: Final = 0.3
DOUBTFUL_CONFIDENCE: Final = 0.5
SPARSE_WORDS_PER_S: Final = 0.5
"""What subtitles say where nobody speaks is believed only above this confidence, below this chance of no speech, and
where it fills the sound it is said to be in."""

_LEAST_FOR_RATIO = 40  # characters; what is shorter packs badly anyway
_LONGEST_PHRASE = 8  # words in a phrase that is looked for again
_MOST_REPEATS = 4  # "no, no, no, no" is still somebody

# Credits of subtitles: alone in a sound, they are a sign that there was no speech.
_CREDITS: Final = re.compile(
    r"amara\.org|sous-titrage (?:st|soci[eé]t[eé]|fr)|sous-titres (?:r[eé]alis[eé]s|par|fr)|st['\u2019] ?501|"
    r"(?:subtitles?|captions?|transcription|translation) by|untertitel (?:der|im|von)|subt[ií]tulos (?:realizados|por)|"
    r"sottotitoli (?:creati|e revisione|a cura)|thanks? (?:you )?for watching|merci d['\u2019]avoir regard[eé]|"
    r"subscribe to (?:my|our|the) channel|abonnez-vous [aà] (?:la|ma|notre) cha[iî]ne",
    re.IGNORECASE,
)
_MOST_CREDIT_WORDS: Final = 15

_FILLERS: Final = frozenset(
    {
        "you", "thank you", "thank you very much", "thanks", "thank you so much", "bye", "bye bye", "so", "oh", "okay",
        "i'm sorry", "the end", "hmm", "mm hmm", "yeah", "merci", "merci beaucoup", "au revoir", "oui", "ah", "euh",
        "c'est bon", "voilà", "à bientôt", "je vous remercie", "vous", "et",
    }
)  # fmt: skip
"""What it writes on noise, and people say too."""


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation."""
    return re.findall(r"[\w'\u2019]+", text.lower())


def repeats_itself(text: str) -> bool:
    """Whether a text goes round in circles: a phrase over and over, or so much the same that it packs too well."""
    packed = text.encode()
    if len(packed) >= _LEAST_FOR_RATIO and len(packed) / len(zlib.compress(packed)) > LOOP_RATIO:
        return True
    words = words_of(text)
    return any(_most_in_a_row(words, size) > _MOST_REPEATS for size in range(1, _LONGEST_PHRASE + 1))


def _most_in_a_row(words: Sequence[str], size: int) -> int:
    """How often the phrase of `size` words that comes most often in a row does so; digits may repeat as they like."""
    most = 1
    for offset in range(size):
        phrases = [tuple(words[at : at + size]) for at in range(offset, len(words) - size + 1, size)]
        row = 1
        for before, after in pairwise(phrases):
            row = row + 1 if before == after and not "".join(after).isdigit() else 1
            most = max(most, row)
    return most


@dataclass(frozen=True, slots=True)
class Claim:
    """What an engine says it heard, and how sure of it it is.

    Attributes:
        text: What it wrote.
        sound_s: How long the sound is that it heard it in.
        confidence: The mean probability of its words, from 0 to 1.
        no_speech: How likely it holds it that nobody spoke, from 0 to 1.
        log_probability: The mean log probability of the text's tokens.
    """

    text: str
    sound_s: float
    confidence: float
    no_speech: float
    log_probability: float


def is_imagined(claim: Claim) -> bool:
    """Whether there was no speech behind a text."""
    words = words_of(claim.text)
    if not words or (len(words) <= _MOST_CREDIT_WORDS and _CREDITS.search(claim.text)):
        return True
    if claim.no_speech > NO_SPEECH and claim.log_probability < UNSURE_LOG_PROBABILITY:
        return True
    if " ".join(words) not in _FILLERS:
        return False
    is_sparse = len(words) < claim.sound_s * SPARSE_WORDS_PER_S
    return is_sparse or claim.confidence < DOUBTFUL_CONFIDENCE or claim.no_speech > DOUBTFUL_NO_SPEECH
