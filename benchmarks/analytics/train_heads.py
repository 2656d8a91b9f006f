"""Trains the heads that ship with the package, and writes them beside the module that reads them.

    python benchmarks/analytics/train_heads.py --banking77 banking77_train.csv --clinc150 clinc150_train.json

It needs `plugandtell[analytics]` and nothing else. The same inputs give the same heads, up to the rounding of the
machine's linear algebra. What it prints are figures by folds of the training examples; the held-out ones are for
`intent/evaluate.py` and `sentiment/evaluate.py` alone.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from examples import HERE, LANGUAGES, Example, read, varied
from figures import macro_f1
from public_intents import banking77, clinc150
from training import FOLDS, SEED, Corpus, Recipe, fit, fit_of_own_labels, held_out_logits, temperature_for

from plugandtell.analytics.classify.embedded import NO_LABEL
from plugandtell.analytics.classify.embedding import PACKAGE, SHA256, VERSION, WEIGHTS, Embedder, compatible
from plugandtell.analytics.classify.heads import INTENT, LABEL, POLARITY, STATE, Head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

OUTPUT = HERE.parents[1] / "src/plugandtell/analytics/classify/weights"
PUBLIC_SHARE = 0.15
CREDITS = (
    {"name": "examples of our own", "licence": "CC0 1.0", "where": "benchmarks/analytics/*/examples/train_*.txt"},
    {
        "name": "BANKING77",
        "licence": "CC BY 4.0",
        "by": "PolyAI: I. Casanueva, T. Temcinas, D. Gerz, M. Henderson, I. Vulic, "
        "Efficient Intent Detection with Dual Sentence Encoders, 2020",
        "where": "https://github.com/PolyAI-LDN/task-specific-datasets",
        "changes": "a sample of its training part, its intents mapped onto ours",
    },
    {
        "name": "CLINC150",
        "licence": "CC BY 3.0",
        "by": "S. Larson and others, An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction, 2019",
        "where": "https://github.com/clinc/oos-eval",
        "changes": "a sample of its training part, its intents mapped onto ours",
    },
)


def first(example: Example) -> str:
    """The class, or the polarity."""
    return example.names[0]


def second(example: Example) -> str:
    """The state of the caller."""
    return example.names[1]


def finer(example: Example) -> str:
    """The finer label, or that there is none."""
    name = example.names[1]
    return NO_LABEL if name.startswith(NO_LABEL) else name


RECIPES = {
    "intent": (Recipe(INTENT, first, 3e-5, 5.0), Recipe(LABEL, finer, 1e-4, 5.0)),
    "sentiment": (Recipe(POLARITY, first, 1e-4, 0.0), Recipe(STATE, second, 1e-4, 0.0)),
}


class Vectors:
    """Embeddings of texts, each made once, and kept in a file if there is one."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._known: dict[str, NDArray[np.float32]] = {}
        if cache is not None and cache.exists():
            with np.load(cache) as arrays:
                self._known = dict(zip(arrays["texts"].tolist(), arrays["vectors"], strict=True))

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text."""
        missing = sorted({compatible(text) for text in texts} - set(self._known))
        if missing:
            self._known |= dict(zip(missing, Embedder(threads=2).embed(missing), strict=True))
            if self._cache is not None:
                np.savez(self._cache, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        return np.stack([self._known[compatible(text)] for text in texts])


def corpora(vectors: Vectors, public: Sequence[Example]) -> tuple[dict[str, Corpus], NDArray[np.float32]]:
    """What there is to learn from, by task, and the mean of all embeddings of ours."""
    ours = {task: [one for lang in LANGUAGES for one in read(task, "train", lang)] for task in RECIPES}
    mean = vectors.of([one.text for examples in ours.values() for one in examples]).mean(axis=0)

    def centred(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(vectors.of(texts) - mean)

    def vary(examples: Sequence[Example]) -> list[Example]:
        return varied(list(examples), SEED)

    found = {task: Corpus(ours[task], vary, public if task == "intent" else (), PUBLIC_SHARE, centred) for task in ours}
    return found, mean


def judged(recipe: Recipe, corpus: Corpus, answers: Sequence[str]) -> tuple[float, dict[str, float]]:
    """The temperature for a head, and its macro-F1 by language, both by folds."""
    logits = held_out_logits(recipe, corpus, answers)
    found = np.array([answers.index(recipe.answer(one)) for one in corpus.ours])
    scores = {}
    for language in LANGUAGES:
        mine = [at for at, one in enumerate(corpus.ours) if one.language == language]
        pairs = [(answers[found[at]], answers[int(logits[at].argmax())]) for at in mine]
        scores[language] = round(macro_f1(pairs, answers), 3)
    return temperature_for(logits, found), scores


def trained(recipe: Recipe, corpus: Corpus) -> tuple[Head, dict[str, float]]:
    """The head, with its temperature, and how well it did."""
    answers = sorted({recipe.answer(one) for one in corpus.ours})
    temperature, scores = judged(recipe, corpus, answers)
    head = fit(recipe, corpus, corpus.ours, answers)
    return Head(head.answers, head.weights, head.prototypes, head.belongs, head.nearness, temperature), scores


def packed(heads: dict[str, Head], mean: NDArray[np.float32], own: tuple[float, float]) -> bytes:
    """The file that `heads.loaded` reads."""
    arrays: dict[str, Any] = {"heads": np.array(list(heads)), "mean": mean, "fit": np.array(own)}
    for name, head in heads.items():
        arrays |= {
            f"{name}.answers": np.array(head.answers),
            f"{name}.weights": head.weights.round(3),
            f"{name}.prototypes": head.prototypes.astype(np.float32).round(4),
            f"{name}.belongs": head.belongs.astype(np.int16),
            f"{name}.scales": np.array([head.nearness, head.temperature]).round(4),
        }
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def main() -> None:
    """Trains and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--banking77", type=Path, required=True)
    parser.add_argument("--clinc150", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="npz file that keeps the embeddings, for the next time")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args()
    sets = {"BANKING77": banking77(given.banking77, SEED), "CLINC150": clinc150(given.clinc150, SEED)}
    found, mean = corpora(Vectors(given.cache), [one for examples in sets.values() for one in examples])
    heads: dict[str, Head] = {}
    scores: dict[str, dict[str, float]] = {}
    for task, recipes in RECIPES.items():
        for recipe in recipes:
            heads[recipe.name], scores[recipe.name] = trained(recipe, found[task])
            print(recipe.name, scores[recipe.name], f"temperature {heads[recipe.name].temperature:.2f}")
    data = packed(heads, mean, fit_of_own_labels(found["intent"], finer))
    counts = {f"{task} {lang}": len(read(task, "train", lang)) for task in RECIPES for lang in LANGUAGES}
    record = {
        "made_by": "benchmarks/analytics/train_heads.py",
        "sha256": hashlib.sha256(data).hexdigest(),
        "embeddings": {"package": f"{PACKAGE} {VERSION}", "weights": WEIGHTS, "sha256": SHA256, "licence": "MIT"},
        "seed": SEED,
        "sentences": counts | {name: len(examples) for name, examples in sets.items()},
        f"macro_f1_by_{FOLDS}_folds_of_the_training_examples": scores,
        "credits": CREDITS,
    }
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "heads.npz").write_bytes(data)
    (given.output / "heads.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"{len(data)} bytes in {given.output / 'heads.npz'}")


if __name__ == "__main__":
    main()
