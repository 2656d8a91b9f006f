"""Phone numbers among the runs of figures, by what phonenumbers knows of the countries that speak the language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import phonenumbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugandtell.analytics.features.runs import Atom

_MIN_DIGITS: Final = 7
_MAX_DIGITS: Final = 15
_LOCAL_DIGITS: Final = 7
_NANP_DIGITS: Final = 10
_LOCAL_SHAPES: Final = frozenset({(3, 4), (3, 2, 2)})
_DICTATED_GROUPS: Final = 4


def find_phone(atoms: Sequence[Atom], language: str | None, *, is_named: bool) -> tuple[int, int, str] | None:
    """The first and longest phone number among groups: its first group, the one after its last, and its value.

    The value is E.164 (`+33612345678`), or the seven figures of an American number without its area code. `is_named`
    says that a phone was spoken of, so that figures without any grouping may be one.
    """
    for first in range(len(atoms)):
        for last in range(min(len(atoms), first + _MAX_DIGITS), first, -1):
            group = atoms[first:last]
            if not all(atom.text.lstrip("+").isdigit() for atom in group):
                continue
            digits = "".join(atom.text for atom in group)
            if _MIN_DIGITS <= len(digits.lstrip("+")) <= _MAX_DIGITS:
                value = _phone(digits, tuple(len(atom.text) for atom in group), language, is_named=is_named)
                is_part = last < len(atoms) and _adjoins(atoms[last - 1], atoms[last])
                is_part = is_part or (first > 0 and _adjoins(atoms[first - 1], atoms[first]))
                if value is not None and not (is_part and len(value) == _LOCAL_DIGITS):
                    return first, last, value
    return None


def _adjoins(atom: Atom, other: Atom) -> bool:
    """Whether figures follow on figures, so that the first of them alone are no whole number."""
    return other.text.isdigit() and other.start - atom.end <= 1


def _phone(digits: str, shape: tuple[int, ...], language: str | None, *, is_named: bool) -> str | None:
    """The number that the figures are."""
    if digits.startswith(("+", "00")):
        return _e164("+" + digits.removeprefix("+").removeprefix("00"), None)
    if language == "fr":
        return _e164(digits, "FR") if len(digits) == 10 and digits[0] == "0" else None
    return _english(digits, shape, is_named=is_named) if language == "en" else None


def _english(digits: str, shape: tuple[int, ...], *, is_named: bool) -> str | None:
    """A number of the United States or Canada, or of the United Kingdom, or French as it is dialled there."""
    if digits[0] == "0":
        is_french = len(digits) == 10 and not _is_valid(digits, "GB") and _is_valid(digits, "FR")
        return _e164(digits, "FR" if is_french else "GB") if len(digits) in (10, 11) else None
    if len(digits) == _LOCAL_DIGITS:
        is_shaped = shape in _LOCAL_SHAPES or len(shape) >= _DICTATED_GROUPS
        return digits if digits[0] not in "01" and (is_shaped or is_named) else None
    national = digits.removeprefix("1") if len(digits) == _NANP_DIGITS + 1 else digits
    is_shaped = len(shape) > 1 or is_named or national[3:4] not in ("0", "1")
    return _e164(national, "US") if len(national) == _NANP_DIGITS and national[0] not in "01" and is_shaped else None


def _e164(digits: str, region: str | None) -> str | None:
    """The number in international form, if it is possible there."""
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_valid(digits: str, region: str) -> bool:
    """Whether the number is one that the region has."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False
