from __future__ import annotations

import pytest

from plugandtell.analytics.features.money import find_money
from plugandtell.analytics.features.reading import read


def amounts(text: str, language: str) -> list[str]:
    """The values of what is found."""
    return [found.value for found in find_money(read(text, language).text, language)]


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("forty-nine euros ninety", "en", "49.90 EUR"),
        ("49,90 €", "fr", "49.90 EUR"),
        ("49,90\u00a0€", "fr", "49.90 EUR"),
        ("$1,200.50", "en", "1200.50 USD"),
        ("1.350,75 euros", "fr", "1350.75 EUR"),
        ("1 234,56 €", "fr", "1234.56 EUR"),
        ("1\u202f200 euros", "fr", "1200.00 EUR"),
        ("quatre-vingt-dix-neuf euros", "fr", "99.00 EUR"),
        ("vingt-cinq virgule cinquante euros", "fr", "25.50 EUR"),
        ("sept euros et cinquante centimes", "fr", "7.50 EUR"),
        ("19€99", "fr", "19.99 EUR"),
        ("fifty-nine dollars and ninety-nine cents", "en", "59.99 USD"),
        ("75 cents", "en", "0.75 USD"),
        ("80 centimes", "fr", "0.80 EUR"),
        ("fifty pence", "en", "0.50 GBP"),
        ("twenty quid", "en", "20.00 GBP"),
        ("£9.99", "en", "9.99 GBP"),
        ("thirty dollar discount", "en", "30.00 USD"),
        ("12 hundred dollars", "en", "1200.00 USD"),
        ("two million dollars", "en", "2000000.00 USD"),
        ("3 mille euros", "fr", "3000.00 EUR"),
        ("1,5 million d'euros", "fr", "1500000.00 EUR"),
        ("quatre-vingts francs suisses", "fr", "80.00 CHF"),
        ("50 Canadian dollars", "en", "50.00 CAD"),
        ("20 euros 2 fois", "fr", "20.00 EUR"),
        ("vingt euros douze fois", "fr", "20.00 EUR"),
        ("15 dollars 30 days", "en", "15.00 USD"),
    ],
)
def test_an_amount_is_found(text: str, language: str, value: str) -> None:
    assert amounts(text, language) == [value]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I weigh two hundred pounds", "en"),
        ("a dollar sign", "en"),
        ("the euro zone", "en"),
        ("trois livres", "fr"),
        ("pas un sou", "fr"),
        ("99 francophones", "fr"),
        ("$", "en"),
    ],
)
def test_what_is_no_amount_is_none(text: str, language: str) -> None:
    assert amounts(text, language) == []
