from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.analytics.classify.chances import blend, likeliest, softmax, with_casting_vote


def test_equal_logits_are_equally_likely() -> None:
    assert softmax({"a": 3.0, "b": 3.0}) == {"a": 0.5, "b": 0.5}


def test_a_temperature_makes_chances_more_alike() -> None:
    cool, warm = softmax({"a": 1.0, "b": 0.0}), softmax({"a": 1.0, "b": 0.0}, temperature=2.0)
    assert cool["a"] > warm["a"] > 0.5


@given(st.dictionaries(st.text(max_size=2), st.floats(-1e4, 1e4), min_size=1, max_size=6))
def test_chances_sum_to_one_and_keep_the_order(logits: dict[str, float]) -> None:
    chances = softmax(logits)
    assert sum(chances.values()) == pytest.approx(1)
    assert chances[likeliest(logits)] == max(chances.values())


def test_a_blend_is_the_mean_by_weight() -> None:
    assert blend([(3, {"a": 1.0, "b": 0.0}), (1, {"a": 0.0, "b": 1.0})]) == {"a": 0.75, "b": 0.25}


def test_a_casting_vote_decides_what_is_close() -> None:
    settled = with_casting_vote({"a": 0.52, "b": 0.48}, {"a": 0.2, "b": 0.8}, margin=0.1, weight=0.5)
    assert likeliest(settled) == "b"
    assert sum(settled.values()) == pytest.approx(1)


def test_a_casting_vote_changes_nothing_where_it_is_not_close() -> None:
    chances = {"a": 0.6, "b": 0.4}
    assert with_casting_vote(chances, {"a": 0.0, "b": 1.0}, margin=0.1, weight=0.5) == chances
