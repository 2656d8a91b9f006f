from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.packing import Chunk, Piece, Place, overlap, pack


@st.composite
def recordings(draw: st.DrawFn) -> list[Piece]:
    """Pieces one after another, with gaps or without."""
    pieces, at = [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 120)), max_size=20)):
        pieces.append(Piece(at + gap, at + gap + length))
        at += gap + length
    return pieces


@given(recordings(), st.integers(1, 150))
def test_all_speech_is_packed_once_in_order_and_no_chunk_is_too_long(pieces: list[Piece], longest: int) -> None:
    chunks = pack(pieces, longest)
    packed = [at for chunk in chunks for piece in chunk.pieces for at in range(piece.start, piece.end)]
    assert packed == [at for piece in pieces for at in range(piece.start, piece.end)]
    assert all(0 < chunk.samples <= longest for chunk in chunks)


@given(recordings(), st.integers(1, 150))
def test_every_sample_of_a_chunk_finds_its_place(pieces: list[Piece], longest: int) -> None:
    for chunk in pack(pieces, longest):
        places = [at for piece in chunk.pieces for at in range(piece.start, piece.end)]
        assert [chunk.place(at, at).start for at in range(chunk.samples)] == places


def test_what_lies_across_a_pause_belongs_where_most_of_it_is() -> None:
    chunk = Chunk((Piece(0, 100), Piece(500, 600)))
    assert chunk.place(80, 130) == Place(1, 500, 530)
    assert chunk.place(60, 130) == Place(0, 60, 100)


def test_what_lies_between_pieces_that_touch_is_in_one_of_them() -> None:
    chunk = Chunk((Piece(0, 100), Piece(100, 200)))
    assert chunk.place(100, 100) == Place(1, 100, 100)
    assert chunk.place(90, 105) == Place(0, 90, 100)


def test_what_lies_beyond_a_chunk_is_cut_at_its_end() -> None:
    chunk = Chunk((Piece(0, 100), Piece(500, 600)))
    assert chunk.place(180, 900) == Place(1, 580, 600)
    assert chunk.place(-20, -5) == Place(0, 0, 0)


def test_overlap_counts_the_samples_in_pieces() -> None:
    assert overlap([Piece(10, 20), Piece(30, 40)], 15, 35) == 10
    assert overlap([Piece(10, 20)], 20, 30) == 0


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (-1, 5)])
def test_a_piece_goes_forward(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="forward"):
        Piece(start, end)


def test_a_chunk_must_have_room() -> None:
    with pytest.raises(ValueError, match="at least one"):
        pack([Piece(0, 1)], 0)
