from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.classify.own_labels import MOST_CHARACTERS, MOST_EXAMPLES, MOST_LABELS, OwnLabels, read
from plugandtell.core.errors import ConfigurationUnreadable

if TYPE_CHECKING:
    from pathlib import Path


def file_with(text: str | bytes, folder: Path) -> Path:
    file = folder / "intents.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_labels_are_read_with_their_examples(tmp_path: Path) -> None:
    text = '[labels]\nmoving = ["We move", " Nous déménageons "]\n"new flat" = ["x"]\n'
    assert read(file_with(text, tmp_path)) == OwnLabels({"moving": ("We move", "Nous déménageons"), "new flat": ("x",)})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a table [labels]"),
        ("labels = 3", "a table [labels]"),
        ("[labels]", "a table [labels]"),
        ("[label]\nmoving = ['x']", "'label' is not known there"),
        ("[labels]\nmoving = 'x'", "labels.moving must be a list"),
        ("[labels]\nmoving = []", "labels.moving must be a list of sentences"),
        ("[labels]\nmoving = ['x', 3]", "example 2 of labels.moving"),
        ("[labels]\nmoving = [' ']", "example 1 of labels.moving"),
        (f"[labels]\nmoving = ['{'x' * (MOST_CHARACTERS + 1)}']", "at most 500 characters"),
        ("[labels]\nmoving = [" + '"x",' * (MOST_EXAMPLES + 1) + "]", "1001 examples, and 1000 are the most"),
        ("[labels]\n" + "".join(f"l{at} = ['x']\n" for at in range(MOST_LABELS + 1)), "and 100 are the most"),
        ("[labels]\n'a\\b' = ['x']", "cannot be a label"),
        ("[labels", "at the end of a table declaration"),
        (b"[labels]\nx = ['\xff']", "utf-8"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    file = file_with(text, tmp_path)
    with pytest.raises(ConfigurationUnreadable) as refused:
        read(file)
    assert complaint in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationUnreadable, match="No such file"):
        read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("sentence", "fits"),
    [
        ("Next month we are moving to another house", True),
        ("We were moving the table", False),
        ("a b c", False),
        ("", False),
    ],
)
def test_a_sentence_fits_by_several_words_in_common(sentence: str, fits: bool) -> None:
    own = OwnLabels({"moving": ("We are moving to a new house",)})
    assert (own.fits_by_words(sentence)["moving"] > 0.5) is fits
