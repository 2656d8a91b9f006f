from __future__ import annotations

import numpy as np

from plugandtell.analytics.engines.speech_to_text import RATE
from plugandtell.analytics.engines.voice_activity import LONGEST_S, find_speech, quietest, without_quiet_edges
from tests.support.speech import sentence


def test_speech_is_found_with_room_around_it() -> None:
    said = sentence(2).astype(np.float32) / np.float32(32768)
    quiet = np.zeros(2 * RATE, np.float32)
    (piece,) = find_speech(np.concatenate([quiet, said, quiet]))
    assert 1.4 * RATE < piece.start < 2.0 * RATE
    assert len(said) + 2.0 * RATE < piece.end < len(said) + 3.0 * RATE


def test_no_piece_is_longer_than_a_model_looks_at() -> None:
    said = sentence(2).astype(np.float32) / np.float32(32768)
    pieces = find_speech(np.tile(said, 12))
    assert len(pieces) > 1
    assert all(piece.samples <= LONGEST_S * RATE for piece in pieces)


def test_a_recording_of_many_blocks_is_searched_to_its_end() -> None:
    call = np.zeros(640 * RATE, np.float32)
    said = sentence(4).astype(np.float32) / np.float32(32768)
    for start_s in (0, 599, 638):
        call[start_s * RATE :][: len(said)] = said
    pieces = find_speech(call)
    assert [round(piece.start / RATE) for piece in pieces] == [0, 599, 638]
    assert all(piece.end <= len(call) for piece in pieces)


def test_what_is_no_sound_at_all_has_no_speech() -> None:
    assert find_speech(np.zeros(0, np.float32)) == []
    assert find_speech(np.zeros(5, np.float32)) == []


def test_the_quietest_place_is_found() -> None:
    loud = np.ones(3 * RATE, np.float32)
    loud[RATE : RATE + RATE // 10] = 0
    assert quietest(loud, 0, len(loud)) == RATE + RATE // 20


def test_quiet_edges_are_cut_to_a_hundredth_of_a_second() -> None:
    sound = np.full(RATE, 0.001, np.float32)
    sound[4000:8000] = 0.5
    assert without_quiet_edges(sound, 0, RATE) == (4000, 8000)
    assert without_quiet_edges(sound, 2080, 6000) == (4000, 6000)


def test_where_all_is_silent_or_short_nothing_is_cut() -> None:
    silent = np.zeros(RATE, np.float32)
    assert without_quiet_edges(silent, 100, 9000) == (100, 9000)
    assert without_quiet_edges(silent, 100, 200) == (100, 200)
