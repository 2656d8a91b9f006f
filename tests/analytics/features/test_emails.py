from __future__ import annotations

import pytest

from plugandtell.analytics.features.emails import find_emails
from plugandtell.analytics.features.reading import read


def addresses(text: str, language: str) -> list[str]:
    """The values of what is found."""
    return [found.value for found in find_emails(read(text, language).text)]


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("Write to Bob.Miller+x@example.co.uk.", "en", "bob.miller+x@example.co.uk"),
        ("bob@museum.example", "en", "bob@museum.example"),
        ("john dot smith at example dot com", "en", "john.smith@example.com"),
        ("john dot smith at gmail.com", "en", "john.smith@gmail.com"),
        ("it's bob at mail dot example dot co dot uk", "en", "bob@mail.example.co.uk"),
        ("mary underscore jones at example dot net", "en", "mary_jones@example.net"),
        ("anna dash berg at my hyphen shop dot de", "en", "anna-berg@my-shop.de"),
        ("k dot lee forty-two at gmail dot com", "en", "k.lee42@gmail.com"),
        ("it's t i m at example dot com", "en", "tim@example.com"),
        ("it's t-i-m at example dot com", "en", "tim@example.com"),
        ("you can email tim at example.com", "en", "tim@example.com"),
        ("Drop me a line at Tom at example.co.uk.", "en", "tom@example.co.uk"),
        ("marie point durand arobase exemple point fr", "fr", "marie.durand@exemple.fr"),
        ("Marie point Durand, arobase, exemple point fr", "fr", "marie.durand@exemple.fr"),
        ("léa tiret du bas quatre-vingt-douze arobase hotmail point fr", "fr", "lea_92@hotmail.fr"),
        ("contact arobase ma tiret boutique point com", "fr", "contact@ma-boutique.com"),
        ("C'est B L arobase exemple point fr", "fr", "bl@exemple.fr"),
        ("marie@exemple point fr", "fr", "marie@exemple.fr"),
    ],
)
def test_an_address_is_found(text: str, language: str, value: str) -> None:
    assert addresses(text, language) == [value]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("look at example dot com", "en"),
        ("We met at amazon.com", "en"),
        ("I am at home. Com is a word.", "en"),
        ("@home", "en"),
        ("write to me at the office", "en"),
        ("allez sur exemple point fr", "fr"),
        ("l'arobase est cassée", "fr"),
    ],
)
def test_what_is_no_address_is_none(text: str, language: str) -> None:
    assert addresses(text, language) == []


def test_many_signs_take_no_long_time() -> None:
    assert addresses("at dot " * 20_000 + "@" * 20_000, "en") == []
    assert addresses("a." * 20_000 + "@x", "en") == []
