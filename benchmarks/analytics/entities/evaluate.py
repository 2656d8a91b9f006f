"""How well entities are found in labelled call sentences: precision, recall and F1 of each kind.

python benchmarks/analytics/entities/evaluate.py            # both halves, in both languages
python benchmarks/analytics/entities/evaluate.py --errors   # and what is wrong in the half to tune on
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from labels import CALL_TIME, Example, Label, load

from plugandtell.analytics.features.entities import find_entities
from plugandtell.core.findings import Entity, EntityKind

HERE = Path(__file__).parent
LANGUAGES = ("en", "fr")


def main() -> None:
    """Print a table for each half and language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", action="store_true", help="show what is wrong in the half to tune on")
    parser.add_argument("--half", choices=("dev", "heldout"), help="only this half")
    arguments = parser.parse_args()
    for half in ("dev", "heldout"):
        if arguments.half in (None, half):
            for language in LANGUAGES:
                _report(half, language, show_errors=arguments.errors and half == "dev")


def _report(half: str, language: str, *, show_errors: bool) -> None:
    """One half in one language."""
    hits, found, wanted, exact = Counter[str](), Counter[str](), Counter[str](), 0
    examples = load(HERE / f"{half}_{language}.txt", language)
    for example in examples:
        entities = find_entities(example.transcript, CALL_TIME)
        right = [(entity, label) for entity in entities for label in example.labels if _agrees(entity, label)]
        hits.update(label.kind for _, label in right)
        exact += sum((entity.start, entity.end) == (label.start, label.end) for entity, label in right)
        found.update(str(entity.kind) for entity in entities)
        wanted.update(label.kind for label in example.labels)
        if show_errors and not len(right) == len(entities) == len(example.labels):
            _show(example, entities)
    print(f"\n{half}, {language}: {len(examples)} calls, {wanted.total()} entities, ", end="")
    print(f"{exact} of {hits.total()} with the exact extent")
    print_table(hits, found, wanted)


def print_table(hits: Counter[str], found: Counter[str], wanted: Counter[str]) -> None:
    """A line for each kind, and one for all."""
    print("| kind | precision | recall | F1 | n |\n|---|---|---|---|---|")
    for kind in (*EntityKind, "all"):
        numbers = (counter.total() if kind == "all" else counter[kind] for counter in (hits, found, wanted))
        _row(str(kind), *numbers)


def _row(kind: str, hits: int, found: int, wanted: int) -> None:
    """A line of the table."""
    precision, recall = hits / max(found, 1), hits / max(wanted, 1)
    print(f"| {kind} | {precision:.3f} | {recall:.3f} | {2 * hits / max(found + wanted, 1):.3f} | {wanted} |")


def _agrees(entity: Entity, label: Label) -> bool:
    """Whether what was found is what is there: kind and value, in its place."""
    is_there = entity.turn == label.turn and entity.start < label.end and label.start < entity.end
    return is_there and (entity.kind, entity.value) == (label.kind, label.value)


def _show(example: Example, entities: tuple[Entity, ...]) -> None:
    """What was found and what is there."""
    print("\n" + " // ".join(turn.text for turn in example.transcript.turns))
    for label in example.labels:
        print(f"    there: {label.kind} {label.value}")
    for entity in entities:
        print(f"    found: {entity.kind} {entity.value} ({entity.text})")


if __name__ == "__main__":
    main()
