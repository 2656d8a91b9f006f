"""Amounts of money: "49,90 €", "$1,200.50", and, read in digits, "49 euros 90" and "thirty pounds"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.features.candidate import Candidate
from plugandtell.core.findings import EntityKind

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYMBOLS: Final = {"€": "EUR", "$": "USD", "£": "GBP"}
_CURRENCIES: Final = (
    (r"euros?|eur|€", "EUR"),
    (r"canadian dollars?|dollars? canadiens?|cad", "CAD"),
    (r"us dollars?|dollars?|bucks?|usd|\$", "USD"),
    (r"pounds?(?: sterling)?|quid|gbp|livres? sterlings?|£", "GBP"),
    (r"swiss francs?|francs?(?: suisses?)?|chf", "CHF"),
)
_CENTS: Final = r"(?:centimes?|cents?|pence|pennies|p)\b"
_SPACE = r"[^\S\n]"
_AMOUNT = r"(?P<amount>\d{1,3}(?:[ .,]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)(?!\d)"
_SCALE = rf"(?:{_SPACE}?(?P<scale>hundred|thousand|million|mille|millions|k)(?:{_SPACE}d[e'])?)?"
_CURRENCY = "(?P<currency>" + "|".join(pattern for pattern, _ in _CURRENCIES) + ")"
_UNITS: Final = (
    "fois|jours?|mois|minutes?|heures?|semaines?|ans?|euros?|times|days?|months?|minutes?|hours?|weeks?|years?|"
    "people|personnes|cm|mm|kg|%|percent|pour|degr"
)
_BEHIND = (
    rf"(?:{_SPACE}?,?(?:{_SPACE}?(?:et|and){_SPACE})?{_SPACE}?(?P<cents>\d{{1,2}}){_SPACE}?{_CENTS}"
    rf"|{_SPACE}?(?:(?:et|and){_SPACE}(?=\d\d[.,!?\n]|\d\d\Z))?(?P<bare>[0-9]\d)(?![\d.,:/h]*\d|{_SPACE}?(?:{_UNITS})))?"
)
_SYMBOL_FIRST = re.compile(
    rf"(?<!\w)(?<!\d )(?:US|CA)?(?P<symbol>[€$£]){_SPACE}?{_AMOUNT}{_SCALE}(?![\w€£$])", re.IGNORECASE
)
_AMOUNT_FIRST = re.compile(rf"(?<![\w.,+]){_AMOUNT}{_SCALE}[ -]?{_CURRENCY}(?![^\W\d_]){_BEHIND}", re.IGNORECASE)
_CENTS_ALONE = re.compile(rf"(?<![\w.,]){_AMOUNT}{_SPACE}?(?P<unit>cents|centimes?|pence)(?!\w)", re.IGNORECASE)
_PAIR_FIRST = re.compile(
    rf"(?<![\w.,+-])(?<!\d )(?P<amount>\d{{1,3}} \d\d)(?!\d){_SPACE}{_CURRENCY}(?![^\W\d_])", re.IGNORECASE
)
"""As English speakers say prices: "forty-nine ninety-nine dollars"."""

_FACTORS: Final = {"hundred": 100, "thousand": 1000, "mille": 1000, "k": 1000, "million": 10**6, "millions": 10**6}
_WEIGHT = re.compile(r"\b(?:weigh\w*|lost|gained|heavy|pèse\w*)\b[^.?!]*\Z", re.IGNORECASE)
_WEIGHT_CHARS: Final = 40


def find_money(text: str, language: str | None) -> Iterator[Candidate]:
    """The amounts of money in a reading; cents alone are those of the language's country, euro or dollar."""
    for match in _SYMBOL_FIRST.finditer(text):
        yield _candidate(match, _amount(match), _SYMBOLS[match["symbol"]])
    if language == "en":
        for match in _PAIR_FIRST.finditer(text):
            amount = Decimal(match["amount"].replace(" ", "."))
            yield _candidate(match, amount, _code(match["currency"]))
    for match in _AMOUNT_FIRST.finditer(text):
        currency = _code(match["currency"])
        if not (currency == "GBP" and _WEIGHT.search(text[max(0, match.start() - _WEIGHT_CHARS) : match.start()])):
            yield _candidate(match, _amount(match) + _cents(match), currency)
    for match in _CENTS_ALONE.finditer(_AMOUNT_FIRST.sub(lambda known: "_" * len(known.group()), text)):
        yield _candidate(match, _amount(match) / 100, _cent_currency(match["unit"].lower(), language))


def _candidate(match: re.Match[str], amount: Decimal, currency: str) -> Candidate:
    """The amount that was found."""
    return Candidate(EntityKind.MONEY, match.start(), match.end(), f"{amount:.2f} {currency}")


def _code(word: str) -> str:
    """ISO 4217 code of a currency that was named."""
    return next(code for pattern, code in _CURRENCIES if re.fullmatch(pattern, word, re.IGNORECASE))


def _cent_currency(unit: str, language: str | None) -> str:
    """Whose hundredths are meant."""
    if unit == "pence":
        return "GBP"
    return "USD" if unit == "cents" and language == "en" else "EUR"


def _amount(match: re.Match[str]) -> Decimal:
    """The figure, whichever of point and comma parts the thousands."""
    digits = re.sub(r"\s", "", match["amount"])
    decimals = re.search(r"[.,](\d{1,2})\Z", digits)
    whole = re.sub(r"[.,]", "", digits[: decimals.start()] if decimals else digits)
    amount = Decimal(f"{whole}.{decimals[1]}" if decimals else whole)
    scale = match["scale"] if "scale" in match.re.groupindex else None
    return amount * _FACTORS[scale.lower()] if scale else amount


def _cents(match: re.Match[str]) -> Decimal:
    """The hundredths that were named behind the currency."""
    return Decimal(match["cents"] or match["bare"] or 0) / 100
