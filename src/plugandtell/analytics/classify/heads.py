"""The small heads on top of the embeddings, as `benchmarks/analytics/train_heads.py` makes them.

A head is a linear layer whose logits are mixed with how near the text is to the prototypes of each answer, divided by a
temperature that was fitted on sentences that the head had not seen. All of them are in one file beside this module, and
heads.json says what they were trained on and under which licences.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

import numpy as np

from plugandtell.core.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FILE: Final = "heads.npz"
POLARITY: Final = "polarity"
STATE: Final = "state"
INTENT: Final = "intent"
LABEL: Final = "label"

_SMALLEST: Final = 1e-9


class Unreadable(ValueError):
    """Bytes that are no heads."""


@dataclass(frozen=True, slots=True)
class Head:
    """Says how likely each of its answers is for a text.

    Attributes:
        answers: Their names.
        weights: One row an answer, for centred vectors; the last column is the bias.
        prototypes: The mean vectors of groups of examples, centred, of length 1.
        belongs: Of each prototype, which answer it stands for.
        nearness: How much the nearest prototype of an answer counts; 0 leaves them out.
        temperature: Divides the logits.
    """

    answers: tuple[str, ...]
    weights: NDArray[np.float32]
    prototypes: NDArray[np.float32]
    belongs: NDArray[np.int64]
    nearness: float
    temperature: float

    def chances(self, centred: NDArray[np.float32]) -> NDArray[np.float64]:
        """One row a text, one column an answer; each row sums to 1.

        Args:
            centred: Embeddings less their mean over the training text.
        """
        logits = self.logits(centred) / self.temperature
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def logits(self, centred: NDArray[np.float32]) -> NDArray[np.float64]:
        """The same before the temperature."""
        linear = centred.astype(np.float64) @ self.weights[:, :-1].T + self.weights[:, -1]
        if not self.nearness:
            return np.asarray(linear)
        alike = unit(centred) @ self.prototypes.T
        nearest = [alike[:, self.belongs == answer].max(axis=1) for answer in range(len(self.answers))]
        return np.asarray(linear + self.nearness * np.stack(nearest, axis=1))


@dataclass(frozen=True, slots=True)
class Heads:
    """All of them, and what they share.

    Attributes:
        mean: Of the embeddings of the training text; the model's vectors all point one way, and only what is left says
            something.
        by_name: The heads.
        fit_middle: How alike a text and an example of an own label are where it is even whether they belong together.
        fit_width: How fast that grows surer.
        version: Changes with the weights.
    """

    mean: NDArray[np.float32]
    by_name: Mapping[str, Head]
    fit_middle: float
    fit_width: float
    version: str

    def centred(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is left of embeddings without what all of them have in common."""
        return vectors - self.mean

    def fit(self, alike: float) -> float:
        """How sure it is that a text belongs to an own label whose nearest example is that much alike."""
        return float(1 / (1 + np.exp(-(alike - self.fit_middle) / self.fit_width)))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row at length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _SMALLEST), np.float32)


def shipped() -> Heads:
    """The heads that come with the package.

    Raises:
        EngineUnavailable: They do not, or are damaged.
    """
    try:
        data = resources.files("plugandtell.analytics.classify").joinpath("weights", FILE).read_bytes()
        return loaded(data)
    except (OSError, Unreadable) as exc:
        raise EngineUnavailable("embeddings", f"{FILE} cannot be read: {exc}", "install plugandtell anew") from exc


def loaded(data: bytes) -> Heads:
    """Heads from the bytes of their file.

    Raises:
        Unreadable: They are none.
    """
    try:
        return _heads(data)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as exc:
        raise Unreadable(str(exc)) from exc


def _heads(data: bytes) -> Heads:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        names = [str(name) for name in arrays["heads"]]
        middle, width = arrays["fit"]
        return Heads(
            mean=arrays["mean"],
            by_name={name: _head(arrays, name) for name in names},
            fit_middle=float(middle),
            fit_width=float(width),
            version=hashlib.sha256(data).hexdigest()[:8],
        )


def _head(arrays: Mapping[str, NDArray[np.float32]], name: str) -> Head:
    nearness, temperature = arrays[f"{name}.scales"]
    return Head(
        answers=tuple(str(answer) for answer in arrays[f"{name}.answers"]),
        weights=arrays[f"{name}.weights"],
        prototypes=arrays[f"{name}.prototypes"],
        belongs=arrays[f"{name}.belongs"].astype(np.int64),
        nearness=float(nearness),
        temperature=float(temperature),
    )
