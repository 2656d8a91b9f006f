"""What is remembered of segments that left no file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from plugandtell.core.errors import WriteFailed
from plugandtell.server.discards import DISCARDS, Discarded, Discards

if TYPE_CHECKING:
    from pathlib import Path


def segment(number: int) -> Discarded:
    return Discarded(UUID(int=1), UUID(int=number), 100 * number, 100 * number + 50)


def test_what_was_noted_is_known_to_the_next(tmp_path: Path) -> None:
    discards = Discards(tmp_path)
    assert discards.load() == []
    for number in range(3):
        discards.note(segment(number))
    assert Discards(tmp_path).load() == [segment(number) for number in range(3)]


def test_the_last_are_kept_and_the_file_stays_small(tmp_path: Path) -> None:
    discards = Discards(tmp_path, remembered=4)
    for number in range(100):
        discards.note(segment(number))
        assert len((tmp_path / DISCARDS).read_text().splitlines()) <= 9
    assert Discards(tmp_path, remembered=4).load() == [segment(number) for number in range(96, 100)]


@pytest.mark.parametrize("damage", ['{"stream_id": "00000', "\ufffd", "{}", "[]", '{"stream_id": 1}'])
def test_a_line_that_a_crash_cut_short_is_none(tmp_path: Path, damage: str) -> None:
    Discards(tmp_path).note(segment(1))
    with (tmp_path / DISCARDS).open("a", encoding="utf-8") as file:
        file.write(damage)
    later = Discards(tmp_path)
    assert later.load() == [segment(1)]
    later.note(segment(2))
    assert Discards(tmp_path).load() == [segment(1), segment(2)]


def test_what_was_noted_counts_though_the_file_cannot_be_begun_anew(tmp_path: Path) -> None:
    Discards(tmp_path).note(segment(1))
    with (tmp_path / DISCARDS).open("a", encoding="utf-8") as file:
        file.write('{"torn')
    obstacle = tmp_path / f"{DISCARDS}.new"
    obstacle.mkdir()
    later = Discards(tmp_path)
    assert later.load() == [segment(1)]
    obstacle.rmdir()
    later.note(segment(2))
    assert Discards(tmp_path).load() == [segment(1), segment(2)]


def test_threads_may_note_at_once(tmp_path: Path) -> None:
    discards = Discards(tmp_path, remembered=30)

    def note_ten(first: int) -> None:
        for number in range(first, first + 10):
            discards.note(segment(number))

    threads = [threading.Thread(target=note_ten, args=(first,)) for first in (0, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found.start_index for found in Discards(tmp_path, 30).load()) == list(range(0, 3000, 100))


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(WriteFailed, match=DISCARDS):
        Discards(tmp_path / "gone").note(segment(1))
    (tmp_path / DISCARDS).mkdir()
    with pytest.raises(WriteFailed, match=DISCARDS):
        Discards(tmp_path).load()
