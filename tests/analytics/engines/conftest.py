from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.engines.whisper import Whisper
from plugandtell.analytics.engines.whisper_model import find_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A data folder that all processes of the test run share, so that the model is joined once."""
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "models-of-all"


@pytest.fixture(scope="session")
def whisper(data_dir: Path) -> Whisper:
    return Whisper(find_model("base", data_dir), name="base", threads=2)
