"""The sample of speech that stands in for a microphone."""

from __future__ import annotations

from pathlib import Path

_NAME = "assets/sample.flac"


def sample_path() -> Path:
    """Where the sample is: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    installed = package / _NAME
    return installed if installed.exists() else package.parents[1] / _NAME
