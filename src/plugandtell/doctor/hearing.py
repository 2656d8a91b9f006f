"""Whether this machine hears: the sound library, the microphone, what comes from it, and who listens for voices."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from plugandtell.client.capture import Dropped
from plugandtell.client.detector import choose_detector
from plugandtell.client.sound_system import SoundSystem
from plugandtell.core.audio import SPEECH
from plugandtell.core.errors import DetectorUnavailable, InvalidSetting, NoMicrophone
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.meter import level_db, peak
from plugandtell.doctor.finding import Finding, Verdict, broken, failed, ok, warning
from plugandtell.portaudio import INSTALL_HINT, load_sound_library, stderr_silenced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugandtell.client.sound_system import InputStream

_BLOCK_MS: Final = 50
_LISTEN_S, _FIRST_BLOCK_WITHIN_S = 0.5, 3.0
_MACOS_REMEDY: Final = (
    "allow the program that runs this terminal in System Settings > Privacy & Security > Microphone, and start it again"
)
_MUTED_REMEDY: Final = "unmute it in the sound settings; `plugandtell devices --meter` shows which one is heard"


def check_sound(device: str | None, *, is_needed: bool) -> Iterator[Finding]:
    """Look at PortAudio, the microphone, what it lets us hear and its rate.

    Args:
        device: The setting of that name.
        is_needed: Whether a client with these settings ends without a microphone.
    """
    for finding in _sound(int(device) if device and device.isdecimal() else device):
        if finding.verdict is Verdict.BROKEN and not is_needed:
            yield warning(finding.name, finding.said, f"not needed with these settings; else {finding.remedy}")
        else:
            yield finding


def _sound(device: str | int | None) -> Iterator[Finding]:
    heard = threading.Event()
    sound = SoundSystem(load_sound_library, time.monotonic, heard.set, _BLOCK_MS)
    with stderr_silenced():
        try:
            library = sound.library()
        except NoMicrophone as error:
            yield broken("portaudio", ExitStatus.NO_MICROPHONE, error.cause, INSTALL_HINT)
            return
        yield ok("portaudio", library.get_portaudio_version()[1])
        try:
            stream = sound.open(device)
        except NoMicrophone as error:
            listed = f": {'; '.join(error.devices)}" if error.devices else ""
            yield broken("microphone", ExitStatus.NO_MICROPHONE, error.cause, f"{error.hint}{listed}")
            return
        yield ok("microphone", str(stream.device))
        yield _permission(stream, heard)
        yield _rate(stream)
        stream.close()


def _permission(stream: InputStream, heard: threading.Event) -> Finding:
    """Where the system keeps a microphone from us, it does not say so: macOS sends zeros."""
    name = "permission"
    if not heard.wait(_FIRST_BLOCK_WITHIN_S):
        remedy = "plug it in again, or choose with --device: `plugandtell devices --meter` shows which one is heard"
        return broken(name, ExitStatus.NO_MICROPHONE, "nothing comes from the microphone, not even silence", remedy)
    time.sleep(_LISTEN_S)
    loudest = 0
    while (block := stream.capture.take()) is not None:
        loudest = max(loudest, 0 if isinstance(block, Dropped) else peak(block))
    return judge_loudest(loudest, sys.platform)


def judge_loudest(loudest: int, platform: str) -> Finding:
    """Whether we may hear the microphone, by the loudest sample of what came from it.

    Args:
        loudest: The sample.
        platform: As in `sys.platform`.
    """
    name = "permission"
    if loudest:
        return ok(name, f"it is heard: {level_db(loudest):.0f} dB at most in half a second")
    if platform == "darwin":
        said = "only zeros come from the microphone: this program may not hear it"
        return broken(name, ExitStatus.NO_MICROPHONE, said, _MACOS_REMEDY)
    return warning(name, "only zeros come from the microphone: it is muted, or not a real one", _MUTED_REMEDY)


def _rate(stream: InputStream) -> Finding:
    opened = stream.capture.audio_format
    if opened == SPEECH:
        return ok("rate", "records at 16 kHz in one channel")
    return ok("rate", f"records at {opened.sample_rate} Hz in {opened.channels}, which is converted to 16 kHz in one")


def check_detectors(spec: str) -> Iterator[Finding]:
    """Let the detector that is set judge a frame."""
    name = "voice detector"
    try:
        choice = choose_detector(spec)
    except DetectorUnavailable as error:
        yield broken(name, ExitStatus.NO_DETECTOR, f"{error.name} cannot be loaded ({error.cause})", error.hint)
        return
    except InvalidSetting as error:
        yield failed(name, error, "set --vad to one of these")
        return
    choice.detector.probability(bytes(2 * choice.detector.frame_samples))
    if choice.missing is not None:
        yield warning(name, f"{choice.name} stands in for {spec} ({choice.missing.cause})", choice.missing.hint)
    elif spec == "none":
        yield warning(name, "--vad none sends everything, silence too", "leave --vad out")
    else:
        yield ok(name, f"{choice.name} works")
