from __future__ import annotations

from tests.analytics.engines.conftest import data_dir

__all__ = ["data_dir"]
