from __future__ import annotations

import hashlib
import io
import json
from importlib import resources

import numpy as np
import pytest

from plugandtell.analytics.classify.embedding import DIMENSIONS, SHA256
from plugandtell.analytics.classify.heads import INTENT, LABEL, POLARITY, STATE, Head, Heads, Unreadable, loaded
from plugandtell.analytics.classify.lexicon import label_names
from plugandtell.core.findings import CallerState, IntentClass, Polarity

WEIGHTS = resources.files("plugandtell.analytics.classify").joinpath("weights")


def test_the_shipped_heads_answer_what_is_asked(heads: Heads) -> None:
    answers = {name: set(head.answers) for name, head in heads.by_name.items()}
    assert answers[POLARITY] == set(Polarity)
    assert answers[STATE] == set(CallerState)
    assert answers[INTENT] == set(IntentClass)
    assert answers[LABEL] == {*label_names(), "other"}


def test_the_record_speaks_of_the_weights_that_are_shipped() -> None:
    record = json.loads(WEIGHTS.joinpath("heads.json").read_text())
    assert record["sha256"] == hashlib.sha256(WEIGHTS.joinpath("heads.npz").read_bytes()).hexdigest()
    assert record["embeddings"]["sha256"] == SHA256
    assert {credit["licence"] for credit in record["credits"]} == {"CC0 1.0", "CC BY 4.0", "CC BY 3.0"}


def test_the_heads_are_small() -> None:
    assert len(WEIGHTS.joinpath("heads.npz").read_bytes()) < 400_000


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04"])
def test_what_are_no_heads_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        loaded(data)


def test_heads_that_lack_an_array_are_refused() -> None:
    out = io.BytesIO()
    np.savez(out, heads=np.array(["intent"]), mean=np.zeros(DIMENSIONS), fit=np.array([0.5, 0.1]))
    with pytest.raises(Unreadable):
        loaded(out.getvalue())


def head(nearness: float, temperature: float) -> Head:
    weights = np.array([[1, 0, 0], [0, 1, 0.5]], np.float32)
    return Head(("a", "b"), weights, np.array([[1, 0], [0, 1]], np.float32), np.array([0, 1]), nearness, temperature)


def test_chances_are_linear_in_the_vector_and_sum_to_one() -> None:
    [logits] = head(0, 1).logits(np.array([[2, 1]], np.float32))
    assert logits.tolist() == [2.0, 1.5]
    assert head(0, 1).chances(np.array([[2, 1]], np.float32)).sum() == pytest.approx(1)


def test_a_temperature_makes_them_less_sure() -> None:
    vector = np.array([[2, 1]], np.float32)
    assert head(0, 5).chances(vector).max() < head(0, 1).chances(vector).max()


def test_the_nearest_prototype_of_each_answer_counts() -> None:
    [logits] = head(2, 1).logits(np.array([[2, 0]], np.float32))
    assert logits.tolist() == pytest.approx([4.0, 0.5])


def test_a_text_fits_an_own_label_the_better_the_more_alike_it_is(heads: Heads) -> None:
    fits = [heads.fit(alike) for alike in (-1, 0, 0.5, 0.9, 1)]
    assert fits == sorted(fits)
    assert 0 <= fits[0] < 0.1
    assert fits[-1] > 0.9
    assert heads.fit(heads.fit_middle) == pytest.approx(0.5)
