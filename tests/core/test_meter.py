from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.meter import Meter, level_db, peak
from plugandtell.core.status import FLOOR_DB, Heard

TENTH = 1600


def pcm(*values: int) -> bytes:
    return np.array(values, "<i2").tobytes()


@pytest.mark.parametrize(
    ("amplitude", "db"), [(32_768, 0.0), (16_384, -6.02), (327.68, -40.0), (1, FLOOR_DB), (0, FLOOR_DB), (99_999, 0.0)]
)
def test_levels_are_decibels_below_full_scale(amplitude: float, db: float) -> None:
    assert level_db(amplitude) == pytest.approx(db, abs=0.01)


@pytest.mark.parametrize(("values", "largest"), [((), 0), ((3, -5), 5), ((-32_768, 32_767), 32_768)])
def test_the_peak_is_the_largest_of_either_sign(values: tuple[int, ...], largest: int) -> None:
    assert peak(pcm(*values)) == largest


def test_each_tenth_of_a_second_has_its_level_and_its_mark() -> None:
    meter = Meter()
    meter.feed(pcm(*[16_384] * TENTH), "l")
    meter.feed(pcm(*[32_767] * (TENTH // 2)), "l")
    assert (meter.heard.levels_db, meter.heard.marks) == ((-6,), "l")
    assert meter.heard.rms_db == pytest.approx(-6.02, abs=0.01)
    meter.feed(pcm(*[0] * (TENTH // 2)), "v")
    assert meter.heard.levels_db == (-6, 0)
    assert meter.heard.marks == "lv"
    assert meter.heard.rms_db == pytest.approx(-3.01, abs=0.01)
    assert meter.heard.peak_db == 0.0


def test_a_hole_is_quiet_and_takes_its_time() -> None:
    meter = Meter()
    meter.feed(pcm(*[16_384] * TENTH), "v")
    meter.skip(3 * TENTH, "p")
    assert meter.heard == Heard((-6, -60, -60, -60), "vppp", FLOOR_DB)


def test_nothing_was_heard_yet() -> None:
    assert Meter().heard.peak_db == FLOOR_DB


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40_000_000)), max_size=20))
def test_it_never_remembers_more_than_twelve_seconds(pieces: list[tuple[bool, int]]) -> None:
    meter = Meter()
    for is_hole, samples in pieces:
        if is_hole:
            meter.skip(samples, "l")
        else:
            meter.feed(bytes(2 * (samples % 5000)), "m")
    assert len(meter.heard.levels_db) == len(meter.heard.marks) <= 120
