"""The real embeddings, once for each process that tests."""

from __future__ import annotations

import pytest

from plugandtell.analytics.classify.embedding import Embedder
from plugandtell.analytics.classify.heads import Heads, shipped


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="session")
def heads() -> Heads:
    return shipped()
