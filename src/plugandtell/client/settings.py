"""What a client can be told, and the default of each."""

import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from plugandtell.command import ACCESS, INPUT, NETWORK, RECORDING, SPOOL, check_range
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.pace import Pace

DEFAULT_URL = "ws://127.0.0.1:3000"
MICROPHONE = "mic"
STDIN = "-"


class Leftovers(StrEnum):
    """Which streams of clients that died are sent."""

    SAME_HOST = "same-host"
    ANY = "any"
    NONE = "none"


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """All settings of a client but the server's address and those of its log.

    Raises:
        InvalidSetting: A field is out of range.
    """

    input: Annotated[str, Parameter(group=INPUT, allow_leading_hyphen=True)] = MICROPHONE
    """mic, an audio file (WAV, FLAC, OGG, MP3; any rate and channels), or - for raw 16 kHz mono s16le on stdin."""

    device: Annotated[str | None, Parameter(group=INPUT)] = None
    """Microphone by index or by part of its name; a wrong one lists them all."""

    mic_give_up_after: Annotated[float | None, Parameter(group=INPUT)] = None
    """Seconds to wait for a microphone that was lost while recording; for ever unless given."""

    fallback: Annotated[Path | None, Parameter(group=INPUT)] = None
    """Audio file to stream when there is no microphone."""

    pace: Annotated[Pace, Parameter(group=INPUT)] = Pace.REALTIME
    """Read a file as if it were spoken now, or as fast as the server takes it. The recordings are the same."""

    push_to_talk: Annotated[bool, Parameter(group=INPUT, negative=())] = False
    """Send nothing until the space bar is pressed on the live screen, and again nothing after the next time."""

    label: Annotated[str | None, Parameter(group=RECORDING)] = None
    """Name of this client, part of the recordings' file names; the host's name unless given."""

    on_saved: Annotated[str | None, Parameter(group=RECORDING)] = None
    """Command to run for each saved recording, without a shell; PLUGANDTELL_SAVED_FILE and others tell it of it."""

    on_saved_timeout: Annotated[float, Parameter(group=RECORDING)] = 60.0
    """Seconds that it may take before it is killed."""

    bell: Annotated[bool, Parameter(group=RECORDING, negative=())] = False
    """Ring the terminal's bell when a recording is saved."""

    batch_ms: Annotated[int, Parameter(group=NETWORK)] = 100
    """Milliseconds of audio in one message, to the nearest frames of the detector; fewer for a more live feel."""

    give_up_after: Annotated[float | None, Parameter(group=NETWORK)] = None
    """Seconds to try to get a lost server back; unless given, 30 for a file or stdin, and for ever for a microphone."""

    keepalive: Annotated[float, Parameter(group=NETWORK)] = 20.0
    """Seconds after which a server that does not answer is taken for lost, although the connection stands."""

    wait_for_server: Annotated[bool, Parameter(group=NETWORK)] = False
    """Listen although no server answers yet, instead of ending with exit code 3."""

    spool_dir: Annotated[Path | None, Parameter(group=SPOOL)] = None
    """Folder for audio that no server has confirmed; unless given, one in the user's state folder."""

    spool_mb: Annotated[float, Parameter(group=SPOOL)] = 1000.0
    """Most megabytes in it (an hour of speech has 115); then the oldest audio goes. 0 keeps ten minutes in memory."""

    leftovers: Annotated[Leftovers, Parameter(group=SPOOL)] = Leftovers.SAME_HOST
    """Which leftovers of clients that died to send first: those meant for the server's host, any, or none."""

    token_file: Annotated[Path | None, Parameter(group=ACCESS)] = None
    """File that holds the token for the server; without it, the token in PLUGANDTELL_TOKEN is sent, if any."""

    ca: Annotated[Path | None, Parameter(group=ACCESS)] = None
    """Certificates (PEM) to trust instead of the system's, for a server whose certificate is your own."""

    allow_plain_token: Annotated[bool, Parameter(group=ACCESS, negative=())] = False
    """Send the token over ws:// to another machine too, where anybody on the way can read it."""

    def __post_init__(self) -> None:
        check_range("--batch-ms", self.batch_ms, 20, 1000)
        if self.mic_give_up_after is not None:
            check_range("--mic-give-up-after", self.mic_give_up_after, 0, 31_536_000)
        if self.give_up_after is not None:
            check_range("--give-up-after", self.give_up_after, 0, 86_400)
        if self.spool_mb:
            check_range("--spool-mb", self.spool_mb, 1, 1_000_000)
        check_range("--keepalive", self.keepalive, 0.2, 3600)
        check_range("--on-saved-timeout", self.on_saved_timeout, 0.1, 86_400)
        if self.on_saved is not None:
            _check_command("--on-saved", self.on_saved)
        if self.label is not None and not (1 <= len(self.label) <= 256 and is_text(self.label)):
            raise InvalidSetting("--label", self.label, "a name of 1 to 256 characters, in UTF-8")


def _check_command(flag: str, command: str) -> None:
    try:
        words = shlex.split(command)
    except ValueError as exc:
        raise InvalidSetting(flag, command, f"a command as one types it ({exc})") from exc
    if not words or not words[0] or "\0" in command:
        raise InvalidSetting(flag, command, "a program and its arguments")


def is_text(value: str) -> bool:
    """Whether it can be written down: bytes on the command line that are no text become what cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def check_url(url: str) -> str:
    """The address of a server.

    Raises:
        InvalidSetting: It is no `ws://` or `wss://` address, or it holds a user name, which would end up in logs.
    """
    expected = f"an address such as {DEFAULT_URL} or wss://host.example:3000, without a user name"
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        usable = parts.scheme in ("ws", "wss") and host and (parts.port is None or parts.port > 0)
    except ValueError as exc:
        raise InvalidSetting("--server", _without_password(url), expected) from exc
    is_plain = not (parts.query or parts.fragment or any(character.isspace() for character in url))
    if not usable or not is_plain or "@" in parts.netloc:
        raise InvalidSetting("--server", _without_password(url), expected)
    return url


def _without_password(url: str) -> str:
    """The address for a message: all between the scheme and the last @ may be a password."""
    if "@" not in url:
        return url
    scheme = next((scheme for scheme in ("ws://", "wss://") if url.startswith(scheme)), "")
    return f"{scheme}***@{url.rpartition('@')[2]}"
