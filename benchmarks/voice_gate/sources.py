"""Where the sounds come from: Debian packages, downloaded and unpacked into a cache, never installed.

Everything used is in Debian's main archive, so its licence allows this use; nothing of it is committed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from signals import RATE, Signal

CACHE = Path(__file__).parent / "cache"
UNPACKED = CACHE / "unpacked"
PACKAGES = (
    *(
        f"asterisk-core-sounds-{language}-{kind}"
        for language in ("en", "es", "fr", "it", "ru")
        for kind in ("g722", "wav")
    ),
    "asc-music",
    "asterisk-moh-opsound-g722",
    "asterisk-prompt-es-co",
    "asterisk-prompt-fr-armelle",
    "asterisk-prompt-it-menardi-wav",
    "blinken",
    "bucklespring-data",
    "colobot-common-sounds",
    "deepin-sound-theme",
    "extremetuxracer-data",
    "festvox-ru",
    "fillets-ng-data",
    "fillets-ng-data-cs",
    "fillets-ng-data-nl",
    "frozen-bubble-data",
    "gcin-voice",
    "hedgewars-data",
    "klettres-data",
    "ktuberling-data",
    "lincity-ng-data",
    "openttd-opensfx",
    "oxygen-sounds",
    "pathological",
    "pocketsphinx-testdata",
    "ri-li-data",
    "searchandrescue-data",
    "sonic-pi-samples",
    "sound-icons",
    "sound-theme-freedesktop",
    "tuxmath-data",
    "tuxpaint-stamps-default",
    "ufoai-sound",
    "yaru-theme-sound",
)
ARCHIVES = {"games/ufoai/base/0snd.pk3": "ufoai"}
"""Archives within the packages, and the folder each is unpacked to; both under `usr/share`."""


def fetch_packages() -> None:
    """Download and unpack what is not in the cache yet. About 1.3 GB the first time."""
    UNPACKED.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        done = UNPACKED / f".{package}"
        if done.exists():
            continue
        print(f"fetching {package}", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            # Debian's own client checks the signature; as root it warns that it could not drop its rights.
            subprocess.run(["apt-get", "-q", "download", package], cwd=folder, check=True, capture_output=True)  # noqa: S607
            (archive,) = Path(folder).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", str(archive), str(UNPACKED)], check=True)  # noqa: S607
        done.touch()
    share = UNPACKED / "usr/share"
    for archive_name, folder_name in ARCHIVES.items():
        if not (share / folder_name).exists():
            with zipfile.ZipFile(share / archive_name) as packed:
                packed.extractall(share / folder_name)


def files(pattern: str) -> list[Path]:
    """The sound files under `usr/share` that match, in a fixed order."""
    return sorted(path for path in (UNPACKED / "usr/share").glob(pattern) if path.is_file() and path.stat().st_size)


def load(path: Path) -> Signal:
    """Decode to mono, 16 kHz."""
    if path.suffix == ".g722":
        from G722 import G722  # noqa: PLC0415  (only the Asterisk packages need it)

        return np.asarray(G722(RATE, 64_000).decode(path.read_bytes()), dtype=np.float64) / 32768
    raw = {"format": "RAW", "subtype": "GSM610", "samplerate": 8000, "channels": 1} if path.suffix == ".gsm" else {}
    frames, rate = sf.read(path, always_2d=True, **raw)
    return np.asarray(soxr.resample(frames.mean(axis=1), rate, RATE, quality="VHQ"), dtype=np.float64)


def waves_in(path: Path) -> list[Signal]:
    """The WAV files inside a container that keeps them one after another, as OpenTTD's sound sets do."""
    data = path.read_bytes()
    found = []
    for match in re.finditer(rb"RIFF(.{4})WAVEfmt ", data, re.DOTALL):
        size = int.from_bytes(match[1], "little") + 8
        with tempfile.NamedTemporaryFile(suffix=".wav", dir=CACHE) as part:
            part.write(data[match.start() : match.start() + size])
            part.flush()
            found.append(load(Path(part.name)))
    return found
