"""The word error rate: substitutions, deletions and insertions per word that was said."""

from __future__ import annotations

import re
from dataclasses import dataclass

from text_to_num import alpha2digit

# One spelling for what has several.
_SPELLINGS = {
    "en": {
        "voice mail": "voicemail", "mail box": "mailbox", "log in": "login", "good bye": "goodbye", "okay": "ok",
        "touch tone": "touchtone", "re record": "rerecord", "re enter": "reenter", "re entered": "reentered",
        "key pad": "keypad", "mister": "mr", "i am": "i'm", "will not": "won't", "play back": "playback",
        "un mute": "unmute", "un muted": "unmuted", "forever more": "forevermore", "thru": "through",
        "you are": "you're", "we are": "we're", "it is": "it's", "all right": "alright", "can not": "cannot",
        "dialled": "dialed",
    },
    "fr": {"boite": "boîte", "monsieur": "m", "madame": "mme", "email": "e mail", "d'accord": "d accord"},
}  # fmt: skip


_DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
}


@dataclass(frozen=True, slots=True)
class Count:
    """Errors and words."""

    errors: int = 0
    words: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.errors + other.errors, self.words + other.words)

    @property
    def rate(self) -> float:
        """Errors per word."""
        return self.errors / self.words if self.words else 0.0


def normalised(text: str, language: str) -> list[str]:
    """The words of a text, the same for what sounds the same: no case, no punctuation, numbers digit by digit."""
    text = text.lower().replace("\u2019", "'")
    text = re.sub(r"(?<=\d)[ .,](?=\d{3}\b)", "", text)
    text = re.sub(r"[^\w'&@*#]+", " ", text).replace(" '", " ").replace("' ", " ")
    for variant, usual in _SPELLINGS.get(language, {}).items():
        text = re.sub(rf"\b{re.escape(variant)}\b", usual, text)
    text = alpha2digit(" ".join(text.split()), language)
    for digit, word in enumerate(_DIGITS.get(language, ())):  # which are left as words where they stand alone
        text = re.sub(rf"\b{word}\b", str(digit), text)
    text = re.sub(r"\d", lambda digit: f" {digit[0]} ", text)
    if language == "fr":
        text = text.replace("'", " ")
    return text.split()


def count(said: str, heard: str, language: str) -> Count:
    """The errors in what was heard (Levenshtein's distance over words)."""
    reference, found = normalised(said, language), normalised(heard, language)
    row = list(range(len(found) + 1))
    for at, word in enumerate(reference, start=1):
        before, row = row, [at]
        for index, other in enumerate(found, start=1):
            row.append(min(before[index] + 1, row[-1] + 1, before[index - 1] + (word != other)))
    return Count(row[-1], len(reference))
