"""E-mail addresses, written or spelled: "john dot smith at example dot com", "marie arobase exemple point fr"."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.features.candidate import Candidate
from plugandtell.core.findings import EntityKind

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNS: Final = {
    "dot": ".",
    "point": ".",
    "underscore": "_",
    "under score": "_",
    "tiret du bas": "_",
    "tiret bas": "_",
    "dash": "-",
    "hyphen": "-",
    "tiret": "-",
    "minus": "-",
    "moins": "-",
    "plus": "+",
}
"""The words for the signs in an address, a longer one before what it begins with."""

_SIGN_WORDS = "|".join(sorted(_SIGNS, key=len, reverse=True))
_SIGN = rf"(?:[^\S\n]?[._\-+][^\S\n]?|[\s,]{{1,3}}(?:{_SIGN_WORDS})[\s,]{{1,3}})"
_DOT = r"(?:\.|[\s,]{1,3}(?:dot|point)[\s,]{1,3})"
_ATOM = r"[^\W_]+"
_SPELLED = rf"(?:(?<![^\W_])(?<!')[^\W_](?:[ ,\-]{{1,2}}[^\W_])*|{_ATOM}(?:[ ]\d+)*)"
_LOCAL = re.compile(rf"{_SPELLED}(?:{_SIGN}{_SPELLED})*\Z", re.IGNORECASE)
_DOMAIN_SIGN = r"(?:[.\-]|[\s,]{1,3}(?:dot|point|dash|hyphen|tiret)[\s,]{1,3})"
_TOP: Final = (
    "com|org|net|fr|eu|uk|us|ca|de|be|ch|lu|it|es|ie|au|nz|io|co|info|biz|edu|gov|gouv|app|dev|ai|me|tv|shop|paris|pro"
)
_WRITTEN_AT = re.compile(r"[^\S\n]?@[^\S\n]?")
_SPOKEN_AT = re.compile(r"[\s,]{1,3}(?:at|arr?obase?|arr?obaz|a commercial|@)[\s,]{1,3}", re.IGNORECASE)
_DOMAIN = re.compile(
    rf"({_ATOM}(?:{_DOMAIN_SIGN}{_ATOM})*?{_DOT}(?:{_TOP})(?:{_DOT}(?:{_TOP}))?)(?![^\W_])", re.IGNORECASE
)
_ANY_DOMAIN = re.compile(rf"({_ATOM}(?:[.\-]{_ATOM})*\.[a-z]{{2,24}})(?![^\W_])", re.IGNORECASE)
_MENTION = re.compile(r"e-?mail|\bmail|adress|\bwrite\b|\bsend\b|\breach\b|\bcontact\b|\bécri", re.IGNORECASE)
_NEVER_LOCAL: Final = frozenset(
    (
        *("a", "account", "all", "are", "arrive", "available", "be", "bought", "buy", "call", "check", "even", "find"),
        *("found", "go", "here", "him", "is", "it", "items", "look", "looked", "looking", "me", "meet", "met", "not"),
        *("on", "online", "order", "ordered", "page", "see", "shop", "shopping", "site", "stuff", "that", "them"),
        *("there", "things", "this", "us", "visit", "was", "website", "what"),
    )
)
_LOOK_BACK_CHARS: Final = 160
_MENTION_CHARS: Final = 100


def find_emails(text: str) -> Iterator[Candidate]:
    """The e-mail addresses in a reading, from left to right."""
    for at in _ats(text):
        domain = _ANY_DOMAIN.match(text, at.end()) if "@" in at.group() else None
        domain = domain or _DOMAIN.match(text, at.end())
        if domain is None:
            continue
        window = max(0, at.start() - _LOOK_BACK_CHARS)
        local = _LOCAL.search(text[window : at.start()])
        if local is None:
            continue
        name = _written(local.group())
        before = text[max(0, at.start() - _MENTION_CHARS) : at.start()]
        if at.group().strip(" ,\n").lower() != "at" or _is_name(local.group(), name, before, domain.group(1)):
            value = f"{name}@{_written(domain.group(1))}"
            yield Candidate(EntityKind.EMAIL, window + local.start(), domain.end(1), value)


def _ats(text: str) -> Iterator[re.Match[str]]:
    """Every @, written or spoken."""
    yield from _WRITTEN_AT.finditer(text)
    yield from (match for match in _SPOKEN_AT.finditer(text) if "@" not in match.group())


def _is_name(said: str, name: str, before: str, domain: str) -> bool:
    """Whether what stands before "at" is the name in an address, as in "bob at example dot com", and not "look at"."""
    if _is_spelled(said) or any(character in name for character in "._-+0123456789"):
        return True
    is_spoken = re.search(r"\s(?:dot|point)\s", domain) is not None
    is_named = re.search(rf"\bat\s{re.escape(said)}\Z", before, re.IGNORECASE) or _MENTION.search(before)
    return name not in _NEVER_LOCAL and (is_spoken or is_named is not None)


def _written(spoken: str) -> str:
    """An address or half of one as it is written: small letters without accents, signs for their words."""
    signed = re.sub(rf"[\s,]+({_SIGN_WORDS})[\s,]+", lambda match: _SIGNS[match.group(1)], spoken.lower())
    if _is_spelled(signed):
        signed = signed.replace("-", "")
    plain = unicodedata.normalize("NFKD", signed)
    return "".join(sign for sign in plain if sign.isalnum() or sign in "._+-")


def _is_spelled(text: str) -> bool:
    """Whether it is single letters with hyphens, commas or spaces between them, as j-o-h-n."""
    return re.fullmatch(r"\w(?:[\-, ]{1,2}\w)+", text) is not None
