"""Linear heads: how they are fitted, and how well they do on folds that they have not seen."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from plugandtell.analytics.classify.heads import Head, unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from examples import Example
    from numpy.typing import NDArray

FOLDS = 5
SEED = 7


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one head is made.

    Attributes:
        name: Of the head.
        answer: Which answer an example has.
        penalty: On the squared weights (L2), for a loss that is a mean over the examples.
        nearness: How much the nearest prototype counts.
    """

    name: str
    answer: Callable[[Example], str]
    penalty: float
    nearness: float


@dataclass(frozen=True, slots=True)
class Corpus:
    """Examples and the embeddings of all texts that come of them.

    Attributes:
        ours: What we wrote; it is judged by folds.
        vary: Makes more of examples.
        public: What others published, which is only learned from.
        public_share: How much all of it counts against ours.
        centred: Embeddings of texts, less their mean.
    """

    ours: Sequence[Example]
    vary: Callable[[Sequence[Example]], Sequence[Example]]
    public: Sequence[Example]
    public_share: float
    centred: Callable[[Sequence[str]], NDArray[np.float32]]


def fit(recipe: Recipe, corpus: Corpus, ours: Sequence[Example], answers: Sequence[str]) -> Head:
    """A head that learned from those of our examples and from all of the public ones; its temperature is 1."""
    examples = [*corpus.vary(ours), *corpus.public]
    vectors = corpus.centred([example.text for example in examples])
    found = np.array([answers.index(recipe.answer(example)) for example in examples])
    own = len(examples) - len(corpus.public)
    share = _balanced(np.array([example.weight for example in examples[:own]]), found[:own])
    if corpus.public:
        share = np.r_[share, corpus.public_share * _balanced(np.ones(len(corpus.public)), found[own:])]
    prototypes, belongs = _prototypes(recipe, corpus, ours, answers)
    none = np.zeros((len(answers), vectors.shape[1] + 1), np.float32)
    bare = Head(tuple(answers), none, prototypes, belongs, recipe.nearness, 1.0)
    weights = _logistic(vectors, found, share / share.sum(), recipe.penalty, bare.logits(vectors))
    return replace(bare, weights=weights.astype(np.float32))


def held_out_logits(recipe: Recipe, corpus: Corpus, answers: Sequence[str]) -> NDArray[np.float64]:
    """For each of our examples, the logits of a head that has not seen it, nor what says the same elsewhere."""
    groups = sorted({example.group for example in corpus.ours})
    random.Random(SEED).shuffle(groups)  # noqa: S311  # no secret
    fold_of = {group: at % FOLDS for at, group in enumerate(groups)}
    logits = np.zeros((len(corpus.ours), len(answers)))
    for fold in range(FOLDS):
        head = fit(recipe, corpus, [one for one in corpus.ours if fold_of[one.group] != fold], answers)
        unseen = [at for at, one in enumerate(corpus.ours) if fold_of[one.group] == fold]
        logits[unseen] = head.logits(corpus.centred([corpus.ours[at].text for at in unseen]))
    return logits


def temperature_for(logits: NDArray[np.float64], found: NDArray[np.int64]) -> float:
    """What the logits must be divided by for their chances to be as sure as they are right.

    C. Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float((total - scaled[np.arange(len(found)), found]).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def fit_of_own_labels(corpus: Corpus, label: Callable[[Example], str], rounds: int = 20) -> tuple[float, float]:
    """How alike a text and the nearest of five examples must be to be believed one of them: the middle and the width.

    Our own finer labels play the user's: five examples of each, against the rest of it and as many others.
    """
    chance = random.Random(SEED)  # noqa: S311  # no secret
    alike: list[float] = []
    belongs: list[bool] = []
    names = sorted({label(one) for one in corpus.ours})
    vectors = unit(corpus.centred([one.text for one in corpus.ours]))
    labels = np.array([label(one) for one in corpus.ours])
    for name in (name for name in names for _ in range(rounds)):
        inside = np.flatnonzero(labels == name).tolist()
        outside = np.flatnonzero(labels != name).tolist()
        chance.shuffle(inside)
        for group, is_one in ((inside[5:25], True), (chance.sample(outside, 60), False)):
            nearest = (vectors[group] @ vectors[inside[:5]].T).max(axis=1)
            alike += nearest.tolist()
            belongs += [is_one] * len(group)
    x, y = np.array(alike)[:, None], np.array(belongs, dtype=int)
    weights = _logistic(x, y, np.full(len(y), 1 / len(y)), 0.0, np.zeros((len(y), 2)))
    slope, bias = weights[1] - weights[0]
    return float(-bias / slope), float(1 / slope)


def _balanced(weights: NDArray[np.float64], found: NDArray[np.int64]) -> NDArray[np.float64]:
    """The same weights, so that each answer has as much in all."""
    return np.asarray(weights / np.bincount(found, weights)[found])


def _prototypes(
    recipe: Recipe, corpus: Corpus, ours: Sequence[Example], answers: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The mean of each group of our examples that share language, class and finer label."""
    keys = sorted({(recipe.answer(one), one.language, one.names) for one in ours})
    vectors = unit(corpus.centred([one.text for one in ours]))
    key_of = [(recipe.answer(one), one.language, one.names) for one in ours]
    means = [vectors[[at for at, mine in enumerate(key_of) if mine == key]].mean(axis=0) for key in keys]
    return unit(np.stack(means)), np.array([answers.index(answer) for answer, _, _ in keys])


def _logistic(
    vectors: NDArray[np.floating],
    found: NDArray[np.int64],
    share: NDArray[np.float64],
    penalty: float,
    offsets: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weights and biases of a multinomial logistic regression, whose logits start from the offsets."""
    inputs = np.hstack([vectors.astype(np.float64), np.ones((len(vectors), 1))])
    kinds = offsets.shape[1]
    wanted = np.eye(kinds)[found]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(kinds, -1)
        logits = offsets + inputs @ weights.T
        logits -= logits.max(axis=1, keepdims=True)
        totals = np.log(np.exp(logits).sum(axis=1))
        error = (np.exp(logits - totals[:, None]) - wanted) * share[:, None]
        slopes = error.T @ inputs
        slopes[:, :-1] += penalty * weights[:, :-1]
        value = float((share * (totals - (logits * wanted).sum(axis=1))).sum())
        return value + penalty * float((weights[:, :-1] ** 2).sum()) / 2, slopes.ravel()

    start = np.zeros(kinds * inputs.shape[1])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x.reshape(kinds, -1))
