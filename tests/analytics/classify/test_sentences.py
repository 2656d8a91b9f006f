from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.analytics.classify.sentences import MOST_WORDS, chunks, sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", ()),
        (" \n ", ()),
        ("Hello", ("Hello",)),
        ("Hello there. How are you?  Fine!", ("Hello there.", "How are you?", "Fine!")),
        ("Non... Pas du tout !", ("Non...", "Pas du tout !")),
        ("It costs 3.50 a month, v2.1 too.", ("It costs 3.50 a month, v2.1 too.",)),
        ("Ask Mr. Smith or Dr. Jones. Now.", ("Ask Mr. Smith or Dr. Jones.", "Now.")),
        ("Madame D. Petit. Merci.", ("Madame D. Petit.", "Merci.")),
        ('He said "no!" Then he left.', ('He said "no!"', "Then he left.")),
        ("It is Mr.", ("It is Mr.",)),
    ],
)
def test_text_is_parted_where_its_sentences_end(text: str, pieces: tuple[str, ...]) -> None:
    assert sentences(text) == pieces


def test_an_endless_sentence_is_cut_before_a_new_thought() -> None:
    begin = "i ordered a lamp from you some time ago and it was nice"
    end = "but then it went dark after a week so i would really like to know what we can do about that together now"
    assert sentences(f"{begin} {end}") == (
        f"{begin} but then it went dark after a week",
        "so i would really like to know what we can do about that together now",
    )


def test_an_endless_sentence_without_a_new_thought_is_cut_where_it_is_full() -> None:
    assert [len(piece.split()) for piece in sentences("word " * 70)] == [MOST_WORDS, MOST_WORDS, 10]


def test_neighbouring_sentences_are_kept_together_as_long_as_they_are_short() -> None:
    assert chunks("One two. Three four. " + "five " * 28) == ("One two. Three four.", ("five " * 28).strip())


@given(st.text(alphabet="ab .!?…\"'\n,;et", max_size=400))
def test_no_word_is_lost_and_no_piece_is_changed(text: str) -> None:
    pieces = sentences(text)
    assert " ".join(pieces).split() == text.split()
    assert all(piece in text for piece in pieces)
    assert " ".join(chunks(text)).split() == text.split()
