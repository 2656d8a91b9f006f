"""Order and account numbers: runs of figures and letters that somebody called so, before, behind or in the question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from plugandtell.core.findings import EntityKind

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORDER = (
    r"orders?|purchase|commandes?|ref|références?|references?|tracking|suivi|colis|parcel|ticket|case|dossier|invoice|"
    r"facture|booking|reservation|réservation|confirmation|claim|sinistre|incident|devis|quote|bon\sde\slivraison"
)
_ACCOUNT = (
    r"accounts?|customer|client|cliente|member|membership|policy|police|contract|contrat|compte|iban|credit\scard|"
    r"debit\scard|card|carte(?:\sbancaire|\sbleue|\sde\scrédit)?|abonné|abonnement|adhérent|subscriber|identifiant|"
    r"social\ssecurity|sécurité\ssociale|passport|passeport|siret|sort\scode"
)
_PHONE = (
    r"phone|telephone|cell|mobile|call(?:\sme)?|callback|reach|ring|text\sme|line|téléphone|tél|portable|fixe|joindre|"
    r"joignable|rappel\w*|appel\w*|composez|numéro\sde\stéléphone"
)
_NUMBER_WORD = r"(?:numbers?|numéros?|num|no\.|nº|n°|nr|#|id|code|reference|référence|ref)"
_OF_THE = r"(?:(?:de|d'|du|of|for)\s?)?(?:(?:my|the|your|la|ma|mon|votre|l')\s?)?"
_KINDS: Final = ((EntityKind.ORDER, _ORDER), (EntityKind.ACCOUNT, _ACCOUNT), (EntityKind.PHONE, _PHONE))
_CUE = re.compile(
    "|".join(
        rf"(?P<{kind.name}>(?P<{kind.name}_BEFORE>(?<!\w){_NUMBER_WORD}\s{_OF_THE})?"
        rf"(?<![\w-])(?:{words})\b(?P<{kind.name}_BEHIND>[\s-]{_NUMBER_WORD}(?!\w))?)"
        for kind, words in _KINDS
    ),
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"(?:[\s,.:;'#°-]|\b(?:number|numéro|num|no|n|is|it|s|its|the|that|this|my|your|was|are|sont|ends?|ending|finit|par|in|with|so|"
    r"um|uh|yes|yeah|sure|ok|okay|of|for|under|id|code|c|est|le|la|ma|mon|de|du|au|euh|alors|donc|oui|voilà|at|on|as|to|me|"
    r"back|us|please|sur|moi|nous|vous|a)\b)*\Z",
    re.IGNORECASE,
)
_ANY_NUMBER = re.compile(rf"\b{_NUMBER_WORD}(?![\w#]){_FILLERS.pattern}", re.IGNORECASE)
_BEHIND = re.compile(
    r"[\s,.;]*(?:(?:is|was|that'?s|it'?s|c'est|ce\sserait|voilà|pour)\s)?(?:(?:the|my|your|le|mon|ma|la|votre)\s)",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"\s?(?:%|percent|pour\scent|times|fois|days?|jours?|hours?|heures?|minutes?|weeks?|semaines?|months?|mois|years?|ans|"
    r"people|personnes|euros?|dollars?|pounds?|items?|units?|unités?|articles?|pieces|pièces|kilos?|mètres?|meg\w*|méga\w*|gig\w*|"
    r"degrees|degrés|inch\w*|miles|km|kg|points?|rue|avenue|street|channels?|chaînes?)\b",
    re.IGNORECASE,
)
_WINDOW_CHARS: Final = 90
_BEHIND_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Cue:
    """What figures were called.

    Attributes:
        kind: Phone, order or account.
        is_number: Whether a number was named, as in "order number" or "n° de compte".
        is_close: Whether only words without weight lie between.
    """

    kind: EntityKind
    is_number: bool
    is_close: bool

    @property
    def decides(self) -> bool:
        """Whether that is enough to take the figures for it."""
        return self.is_number or self.is_close


def cue_for(text: str, start: int, end: int, asked: str) -> Cue | None:
    """What the run from `start` to `end` of a reading was called, if anything: the nearest word before, or one behind.

    `asked` is what the other party said just before the text began.
    """
    before = _before(f"{asked}\n{text[max(0, start - _WINDOW_CHARS) : start]}"[-_WINDOW_CHARS:])
    if before is not None and before.is_close:
        return before
    return _behind(text[end : end + _BEHIND_CHARS]) or before


def is_length(text: str, end: int) -> bool:
    """Whether a unit follows, so that the figures count something."""
    return _LENGTH.match(text, end) is not None


def is_card(digits: str) -> bool:
    """Whether the figures are a payment card's: 13 to 19 that pass Luhn's check (ISO/IEC 7812-1)."""
    if not (digits.isdigit() and 13 <= len(digits) <= 19):
        return False
    doubled = (int(digit) * (1 + i % 2) for i, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether it is an IBAN: its remainder by 97 is 1 (ISO 13616)."""
    if re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", text) is None:
        return False
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1


def _before(context: str) -> Cue | None:
    """The last cue in what was said before."""
    cues = list(_cues(context))
    if not cues:
        return None
    match, kind = cues[-1]
    is_close = _FILLERS.match(context, match.end()) is not None
    is_number = _names_number(match, kind) or _ANY_NUMBER.search(context, match.end()) is not None
    return Cue(kind, is_number, is_close)


def _behind(rest: str) -> Cue | None:
    """A cue in what follows: "... is my order number"."""
    lead = _BEHIND.match(rest)
    if lead is None:
        return None
    match = _CUE.match(rest, lead.end())
    if match is None:
        return None
    kind = _kind(match)
    return Cue(kind, is_number=True, is_close=True) if _names_number(match, kind) or kind is EntityKind.PHONE else None


def _cues(context: str) -> Iterator[tuple[re.Match[str], EntityKind]]:
    """Every cue, from left to right."""
    for match in _CUE.finditer(context):
        yield match, _kind(match)


def _kind(match: re.Match[str]) -> EntityKind:
    """What a cue says."""
    return next(kind for kind, _ in _KINDS if match[kind.name] is not None)


def _names_number(match: re.Match[str], kind: EntityKind) -> bool:
    """Whether a cue names a number."""
    named = match[f"{kind.name}_BEFORE"] or match[f"{kind.name}_BEHIND"]
    return named is not None or match[kind.name].lower() in ("iban", "siret", "référence", "reference", "identifiant")
