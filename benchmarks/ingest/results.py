"""RESULTS.md: a section for each part, of which a run replaces those that it measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ingest.building import HERE, node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RESULTS = HERE / "RESULTS.md"
_SECTION = re.compile(r"^## (.*)\n([\s\S]*?)(?=^## |\Z)", re.MULTILINE)
_INTRODUCTION = """\
# Ingest: results

Written by `python -m benchmarks.ingest`; what is measured, and how, is in [README.md](README.md). Figures are medians,
with the range of all rounds in brackets. Ratios are taken within a round, and travel better than the figures do.
"""


def conditions() -> str:
    """When this is, and on what."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    version = subprocess.run([node(), "--version"], check=True, capture_output=True, text=True).stdout.strip()
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    machine = f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}, Linux {platform.release()}"
    load = f"load {os.getloadavg()[0]:.1f} before"
    return f"{when}, {machine}, Python {platform.python_version()}, Node {version}, {load}."


def replaced(text: str, sections: Mapping[str, str], order: Iterable[str]) -> str:
    """The results with these sections, by title, in place of those of the same titles, in this order."""
    kept = {found[1].strip(): found[2].strip() for found in _SECTION.finditer(text)}
    kept |= {title: body.strip() for title, body in sections.items()}
    return "\n".join([_INTRODUCTION, *(f"## {title}\n\n{kept[title]}\n" for title in order if title in kept)])
