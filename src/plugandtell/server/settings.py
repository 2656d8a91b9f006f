"""What a server can be told, and the default of each."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plugandtell.command import ACCESS, LIMITS, NETWORK, RECORDING, check_range
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.recording import Container, Durability, GapPolicy

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@A-Z]+|null")


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """All settings of a server but those of its log.

    Raises:
        InvalidSetting: A field is out of range.
    """

    host: Annotated[str, Parameter(group=NETWORK)] = "127.0.0.1"
    """Address to listen on."""

    port: Annotated[int, Parameter(group=NETWORK)] = 3000
    """TCP port to listen on; 0 picks a free one. The address is printed on standard output."""

    workers: Annotated[int, Parameter(group=NETWORK)] = 1
    """Processes that share the streams, at most one for each core; more than 1 not on Windows."""

    tokens_file: Annotated[Path | None, Parameter(group=ACCESS)] = None
    """File of the tokens that clients may present, `name: token` a line; more may be in PLUGANDTELL_TOKENS."""

    tls_cert: Annotated[Path | None, Parameter(group=ACCESS)] = None
    """Certificate chain (PEM); with --tls-key it makes the address wss://. Read anew when it changes."""

    tls_key: Annotated[Path | None, Parameter(group=ACCESS)] = None
    """Private key of the certificate (PEM, without a passphrase)."""

    allow_origin: Annotated[tuple[str, ...], Parameter(group=ACCESS, negative=(), show_default=False)] = ()
    """Origin of web pages that may stream, such as https://app.example; may be repeated. Others are refused."""

    allow_anonymous: Annotated[bool, Parameter(group=ACCESS, negative=())] = False
    """Let everybody who reaches the server stream: needed to listen beyond this machine without tokens."""

    audio_dir: Annotated[Path, Parameter(group=RECORDING)] = Path("audio")
    """Folder for the recordings; created if missing. One server at a time records into a folder."""

    silence: Annotated[float, Parameter(group=RECORDING)] = 3.0
    """Seconds of silence that end a recording."""

    max_duration: Annotated[float, Parameter(group=RECORDING)] = 3600.0
    """Longest recording in seconds; longer speech goes on in the next one."""

    resume_window: Annotated[float, Parameter(group=RECORDING)] = 3.0
    """Seconds that a recording stays open for a client whose connection dropped; 0 ends it at once."""

    gaps: Annotated[GapPolicy, Parameter(group=RECORDING)] = GapPolicy.FILL
    """Samples that never came: fill them with silence, or drop them and close up."""

    durability: Annotated[Durability, Parameter(group=RECORDING)] = Durability.WRITE
    """When audio is acknowledged: written (survives the death of the process), or on the disk (that of the machine)."""

    format: Annotated[Container, Parameter(group=RECORDING)] = Container.WAV
    """What finished recordings are: WAV, or FLAC, which holds the same samples in about half the room."""

    min_free_mb: Annotated[float, Parameter(group=LIMITS)] = 100.0
    """Megabytes that must be free on the disk of the recordings, or no stream is taken; 0 takes them to the end."""

    max_streams: Annotated[int, Parameter(group=LIMITS)] = 1000
    """Connections at once; more are asked to try again later."""

    max_streams_per_address: Annotated[int, Parameter(group=LIMITS)] = 100
    """Connections from one address at once; 0 for any number, as behind a proxy, whose address they all have."""

    max_message_bytes: Annotated[int, Parameter(group=LIMITS)] = 1_048_576
    """Largest message taken from a client."""

    hello_timeout: Annotated[float, Parameter(group=LIMITS)] = 10.0
    """Seconds a client may take to introduce itself."""

    idle_timeout: Annotated[float, Parameter(group=LIMITS)] = 60.0
    """Seconds without a whole message before a client is disconnected. A message that trickles in is none yet."""

    stall_timeout: Annotated[float, Parameter(group=LIMITS)] = 120.0
    """Seconds in which a client may talk without getting on, in audio or position, before it is disconnected."""

    client_keepalive: Annotated[float, Parameter(group=LIMITS)] = 20.0
    """Seconds between two pings to a client, and within which each must be answered, or the line counts as cut."""

    gather_ms: Annotated[float, Parameter(group=LIMITS)] = 0.25
    """Milliseconds that messages may gather when over 2000 a second come, which saves much of their cost; 0: none."""

    send_timeout: Annotated[float, Parameter(group=LIMITS)] = 5.0
    """Seconds a client may leave unread what the server tells it before it is disconnected."""

    def __post_init__(self) -> None:
        check_range("--port", self.port, 0, 65_535)
        check_range("--workers", self.workers, 1, 64)
        if self.workers > 1 and sys.platform == "win32":
            raise InvalidSetting("--workers", self.workers, "1 on Windows, where processes cannot hand connections on")
        if (self.tls_cert is None) is not (self.tls_key is None):
            given, missing = ("--tls-cert", "--tls-key") if self.tls_cert else ("--tls-key", "--tls-cert")
            raise InvalidSetting(given, str(self.tls_cert or self.tls_key), f"given together with {missing}")
        for origin in self.allow_origin:
            if not _ORIGIN.fullmatch(origin):
                raise InvalidSetting("--allow-origin", origin, "an origin as browsers send it: https://app.example")
        check_range("--silence", self.silence, 0.2, 3600)
        check_range("--max-duration", self.max_duration, 1, 86_400)
        check_range("--resume-window", self.resume_window, 0, 3600)
        check_range("--min-free-mb", self.min_free_mb, 0, 1e9)
        check_range("--max-streams", self.max_streams, 1, 1_000_000)
        check_range("--max-streams-per-address", self.max_streams_per_address, 0, 1_000_000)
        check_range("--max-message-bytes", self.max_message_bytes, 65_536, 2**30)
        check_range("--hello-timeout", self.hello_timeout, 0.1, 3600)
        check_range("--idle-timeout", self.idle_timeout, 0.1, 86_400)
        check_range("--stall-timeout", self.stall_timeout, 0.1, 86_400)
        check_range("--client-keepalive", self.client_keepalive, 0.1, 3600)
        check_range("--gather-ms", self.gather_ms, 0, 50)
        check_range("--send-timeout", self.send_timeout, 0.1, 3600)
