from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.analytics.features.reading import read

SPOKEN = st.lists(
    st.sampled_from(
        [
            *(
                "zéro",
                "six",
                "quatre-vingt-dix-neuf",
                "vingt",
                "et",
                "un",
                "deux",
                "cents",
                "mille",
                "virgule",
                "premier",
            ),
            *("double", "oh", "o", "triple", "five", "twenty-one", "hundred", "a", "point", "third", "of", "March"),
            *("06", "12", "A", "B", ",", ".", "-", "'", "\u2019", "\u00a0", "\n", "e\u0301", "\u0130"),
        ]
    )
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "language", "reading"),
    [
        ("zéro six douze trente-quatre", "fr", "06 12 34"),
        ("zéro six, douze, cinquante six", "fr", "06, 12, 56"),
        ("zéro quatre vingt-deux", "fr", "04 22"),
        ("quatre-vingt-dix-neuf euros", "fr", "99 euros"),
        ("nonante-neuf", "fr", "99"),
        ("vingt-cinq virgule cinquante", "fr", "25,50"),
        ("le premier mai", "fr", "le 1er mai"),
        ("après-demain", "fr", "après-demain"),
        ("five five five one two", "en", "5 5 5 1 2"),
        ("five-five-five one", "en", "5-5-5 1"),
        ("oh six one two", "en", "0 6 1 2"),
        ("double five oh seven", "en", "55 0 7"),
        ("four double oh triple seven", "en", "4 00 777"),
        ("triple A, double u, B", "en", "AAA, W, B"),
        ("twenty-five hundred dollars", "en", "2500 dollars"),
        ("12 hundred dollars", "en", "12 hundred dollars"),
        ("the third of March", "en", "the 3rd of March"),
        ("Oh, two people", "en", "Oh, 2 people"),
        ("it is one o'clock", "en", "it is 1 o'clock"),
        ("it is one o\u2019clock", "en", "it is 1 o'clock"),
        ("49,90\u00a0€", "fr", "49,90 €"),
        ("fünf sechs", "de", "fünf sechs"),
        ("five", None, "five"),
        ("", "en", ""),
    ],
)
def test_number_words_are_read_as_digits(text: str, language: str | None, reading: str) -> None:
    assert read(text, language).text == reading


def test_numbers_of_two_turns_are_two_numbers() -> None:
    assert read("vingt\ndeux", "fr").text == "20\n2"


def test_what_is_read_is_known_in_the_text() -> None:
    text = "Le zéro six, double cinq."
    reading = read(text, "fr")
    at = reading.text.index("06")
    assert text[slice(*reading.in_source(at, at + 2))] == "zéro six"
    at = reading.text.index("55")
    assert text[slice(*reading.in_source(at + 1, at + 2))] == "double cinq"


@given(st.one_of(SPOKEN, st.text(max_size=60)), st.sampled_from(["en", "fr", "de", None]))
def test_every_character_comes_from_somewhere_in_order(text: str, language: str | None) -> None:
    reading = read(text, language)
    assert reading.source == text
    assert len(reading.text) == len(reading.starts) == len(reading.ends)
    assert all(start < end for start, end in zip(reading.starts, reading.ends, strict=True))
    assert list(reading.starts) == sorted(reading.starts)
    if text:
        assert (reading.starts[0], reading.ends[-1]) == (0, len(text))
