"""Every error the program raises on purpose.

```
PlugAndTellError
├── TransientError                 worth another try, unchanged
│   ├── ServerUnreachable          nobody answers at the address
│   ├── ConnectionLost             it was there, and then it was not
│   ├── ServerBusy                 the server is full, or its disk nearly is
│   ├── WriteFailed                audio could not be written to its recording
│   ├── AudioUnreachable           a call's audio cannot be fetched now
│   ├── StoreUnreachable           the queue store or the database does not answer
│   ├── EngineFailed               an engine that usually works did not this time
│   ├── ChildCrashed               the process that did the work died of it
│   ├── StageTimedOut              the work took longer than its time limit
│   └── AlertNotSent               nobody took an alert
└── PermanentError                 another try would fail the same way
    ├── InvalidSetting             a flag, variable or configuration value that cannot be used
    ├── ConfigurationUnreadable    a configuration file that is no TOML, or cannot be opened
    ├── CredentialsUnusable        tokens, a certificate or a key that cannot be read or used
    ├── ProtocolError              the peer broke the wire protocol; carries the close code
    ├── NotOurServer               something answers at the address, but it is no PlugAndTell server
    ├── ServerNotTrusted           its certificate does not show that it is the server that was asked for
    ├── Refused                    the server said no, and will say so again
    ├── DetectorUnavailable        a voice detector that is not installed, or does not run here
    ├── MicrophoneError
    │   ├── NoMicrophone           no sound library, no input device, or none that fits the name
    │   └── MicrophoneLost         the device went away while recording
    ├── InputError
    │   ├── InputNotFound          no such file, or it cannot be opened
    │   ├── InputNotAudio          no format that can be decoded, or damaged on the way
    │   ├── InputEmpty             audio without a single sample
    │   └── InputTooLong           more audio than a call may have
    ├── NoLoudspeaker              no sound library, or no output device that plays
    ├── RecordingNotFound          no recording of that name or id, or several
    ├── RecordingUnfinished        a recording that grows still, or that a crash left
    ├── CannotListen               the port is taken, or the address is not ours
    ├── WorkerNotStarted           a process of the server ended before it took connections
    ├── FolderUnusable             a folder that cannot be created, written or locked
    ├── AudioNotSaved              the client had to stop before everything was saved
    ├── EngineUnavailable          a package, a model or a service that an engine needs is not there
    ├── MessageInvalid             a message from a queue that is none of ours, or of another version
    ├── StoreUnusable              a queue store or database that cannot be used as it is
    ├── CallNotFound               no call with that id, or several that begin with it
    └── CallFailed                 a call has failed for good
```

Errors carry data; the text is computed from it. Retry reads `TransientError` and `PermanentError`, nothing else.
"""

from __future__ import annotations

from plugandtell.core.audio import SPEECH


class PlugAndTellError(Exception):
    """Base of every error that is raised on purpose."""


class TransientError(PlugAndTellError):
    """Worth another try, unchanged."""


class PermanentError(PlugAndTellError):
    """Another try would fail the same way."""


class ServerUnreachable(TransientError):
    """Nobody answers at the address."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(url, cause)
        self.url = url
        self.cause = cause

    def __str__(self) -> str:
        remedy = "start one with `plugandtell-server`, or name another with --server"
        return f"no server answers at {self.url} ({self.cause}): {remedy}"


class ConnectionLost(TransientError):
    """The server was there, and then it was not."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(url, cause)
        self.url = url
        self.cause = cause

    def __str__(self) -> str:
        return f"the connection to {self.url} was lost: {self.cause}"


class ServerBusy(TransientError):
    """The server asks to try again later (close code 1013)."""

    def __init__(self, url: str, message: str) -> None:
        super().__init__(url, message)
        self.url = url
        self.message = message

    def __str__(self) -> str:
        return f"the server at {self.url} is busy: {self.message}"


class WriteFailed(TransientError):
    """Audio could not be written to its recording; what was written before is kept."""

    def __init__(self, file: str, cause: str) -> None:
        super().__init__(file, cause)
        self.file = file
        self.cause = cause

    def __str__(self) -> str:
        return f"cannot write {self.file!r}: {self.cause}; what was written before is kept"


class AudioUnreachable(TransientError):
    """A call's audio cannot be fetched now."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(url, cause)
        self.url = url
        self.cause = cause

    def __str__(self) -> str:
        return f"cannot fetch the audio {self.url!r}: {self.cause}"


class StoreUnreachable(TransientError):
    """The queue store or the database does not answer.

    Attributes:
        store: Which of them.
        url: Its address, without a password.
        cause: What went wrong.
    """

    def __init__(self, store: str, url: str, cause: str) -> None:
        super().__init__(store, url, cause)
        self.store = store
        self.url = url
        self.cause = cause

    def __str__(self) -> str:
        return f"the {self.store} at {self.url} does not answer ({self.cause}): check that it runs and the address"


class EngineFailed(TransientError):
    """An engine that usually works did not this time."""

    def __init__(self, engine: str, cause: str) -> None:
        super().__init__(engine, cause)
        self.engine = engine
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.engine} failed: {self.cause}"


class ChildCrashed(TransientError):
    """The process that did the work died of it."""

    def __init__(self, work: str, cause: str) -> None:
        super().__init__(work, cause)
        self.work = work
        self.cause = cause

    def __str__(self) -> str:
        return f"the process for {self.work} died ({self.cause})"


class StageTimedOut(TransientError):
    """The work took longer than its time limit, and was ended."""

    def __init__(self, work: str, limit_s: float) -> None:
        super().__init__(work, limit_s)
        self.work = work
        self.limit_s = limit_s

    def __str__(self) -> str:
        return f"{self.work} was not done within its limit of {self.limit_s:g} s"


class AlertNotSent(TransientError):
    """Nobody took an alert: the webhook or the command that it was meant for failed."""

    def __init__(self, channel: str, cause: str) -> None:
        super().__init__(channel, cause)
        self.channel = channel
        self.cause = cause

    def __str__(self) -> str:
        return f"the alert could not be sent by {self.channel}: {self.cause}"


class InvalidSetting(PermanentError, ValueError):
    """A setting that cannot be used.

    Attributes:
        name: The setting as the user wrote it, such as `--silence`.
        value: What it was set to.
        expected: What would be accepted, as a phrase that follows "must be".
    """

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(name, value, expected)
        self.name = name
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.name} is {self.value!r}, but must be {self.expected}"


class ConfigurationUnreadable(PermanentError):
    """A configuration file that is no TOML, or cannot be opened."""

    def __init__(self, file: str, cause: str) -> None:
        super().__init__(file, cause)
        self.file = file
        self.cause = cause

    def __str__(self) -> str:
        return f"cannot read the settings in {self.file}: {self.cause}; mend the file or move it away"


class CredentialsUnusable(PermanentError):
    """Tokens, a certificate or a key that cannot be read or used.

    Attributes:
        flag: The setting that names them, such as `--tls-key`, or where else they come from.
        source: The file or the variable; never what it holds.
        cause: What was wrong.
    """

    def __init__(self, flag: str, source: str, cause: str) -> None:
        super().__init__(flag, source, cause)
        self.flag = flag
        self.source = source
        self.cause = cause

    def __str__(self) -> str:
        return f"cannot use {self.source!r} from {self.flag}: {self.cause}"


class ProtocolError(PermanentError):
    """The peer broke the wire protocol.

    Attributes:
        close_code: The WebSocket close code that tells the peer so.
        code: A short constant name for machines, such as `hello_expected`.
        message: What was wrong, with the offending value.
        raw: The message as it was received, or None where there was none.
    """

    def __init__(self, close_code: int, code: str, message: str, raw: str | bytes | None = None) -> None:
        super().__init__(close_code, code, message, raw)
        self.close_code = close_code
        self.code = code
        self.message = message
        self.raw = raw

    def __str__(self) -> str:
        return f"{self.message} ({self.code}, close code {self.close_code})"


class NotOurServer(PermanentError):
    """Something answers at the address, but it is no PlugAndTell server."""

    def __init__(self, url: str, found: str) -> None:
        super().__init__(url, found)
        self.url = url
        self.found = found

    def __str__(self) -> str:
        return f"what answers at {self.url} is not a PlugAndTell server ({self.found}): check --server"


class ServerNotTrusted(PermanentError):
    """The server's certificate does not show that it is the server that was asked for.

    Attributes:
        url: The server.
        cause: What is wrong with the certificate.
        remedy: What to do about it.
    """

    def __init__(self, url: str, cause: str, remedy: str) -> None:
        super().__init__(url, cause, remedy)
        self.url = url
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"the server at {self.url} cannot be trusted, and nothing was sent to it: {self.cause}; {self.remedy}"


class Refused(PermanentError):
    """The server said no, and will say so again.

    Attributes:
        url: The server.
        close_code: The WebSocket close code, or the HTTP status where the upgrade itself was refused.
        message: The server's own words.
    """

    def __init__(self, url: str, close_code: int, message: str) -> None:
        super().__init__(url, close_code, message)
        self.url = url
        self.close_code = close_code
        self.message = message

    def __str__(self) -> str:
        return f"the server at {self.url} refused: {self.message} ({self.close_code})"


class DetectorUnavailable(PermanentError):
    """A voice detector that is not installed, or does not run on this machine.

    Attributes:
        name: The detector.
        cause: What went wrong.
        hint: What to do about it.
    """

    def __init__(self, name: str, cause: str, hint: str) -> None:
        super().__init__(name, cause, hint)
        self.name = name
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        return f"the voice detector {self.name} cannot be loaded ({self.cause}): {self.hint}"


class MicrophoneError(PermanentError):
    """The microphone cannot be used."""


class NoMicrophone(MicrophoneError):
    """No sound library, no input device, or none that fits the name.

    Attributes:
        cause: What is missing.
        devices: The input devices there are, one line each.
        hint: What to do about it.
    """

    def __init__(self, cause: str, devices: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(cause, devices, hint)
        self.cause = cause
        self.devices = devices
        self.hint = hint

    def __str__(self) -> str:
        listed = "".join(f"\n  {device}" for device in self.devices)
        hint = f": {self.hint}" if self.hint else ""
        return f"{self.cause}{hint}{listed}"


class MicrophoneLost(MicrophoneError):
    """The device went away while recording."""

    def __init__(self, device: str, cause: str) -> None:
        super().__init__(device, cause)
        self.device = device
        self.cause = cause

    def __str__(self) -> str:
        return f"the microphone {self.device!r} stopped: {self.cause}; what was heard until then is saved"


class InputError(PermanentError):
    """The input given with --input cannot be used.

    Attributes:
        source: The file as the user named it, or `-`.
        cause: What was wrong.
    """

    def __init__(self, source: str, cause: str) -> None:
        super().__init__(source, cause)
        self.source = source
        self.cause = cause

    def __str__(self) -> str:
        return f"cannot read {self.source!r}: {self.cause}"


class InputNotFound(InputError):
    """No such file, or it cannot be opened."""


class InputNotAudio(InputError):
    """No format that can be decoded, or damaged on the way."""


class InputEmpty(InputError):
    """Audio without a single sample."""


class InputTooLong(InputError):
    """More audio than a call may have."""


class NoLoudspeaker(PermanentError):
    """No sound library, or no output device that plays.

    Attributes:
        cause: What is missing.
        devices: The output devices there are, one line each.
        hint: What to do about it.
    """

    def __init__(self, cause: str, devices: tuple[str, ...], hint: str) -> None:
        super().__init__(cause, devices, hint)
        self.cause = cause
        self.devices = devices
        self.hint = hint

    def __str__(self) -> str:
        listed = "".join(f"\n  {device}" for device in self.devices)
        return f"{self.cause}: {self.hint}{listed}"


class RecordingNotFound(PermanentError):
    """No recording of that name or id, or several that it fits.

    Attributes:
        wanted: What the user named.
        folder: Where it was looked for.
        candidates: Those that it fits, one line each; empty if there are none.
        more: How many fit besides.
    """

    def __init__(self, wanted: str, folder: str, candidates: tuple[str, ...] = (), more: int = 0) -> None:
        super().__init__(wanted, folder, candidates, more)
        self.wanted = wanted
        self.folder = folder
        self.candidates = candidates
        self.more = more

    def __str__(self) -> str:
        if not self.candidates:
            way_out = "`plugandtell recordings list` shows all, --audio-dir names another folder"
            return f"no recording in {self.folder!r} is called {self.wanted!r}: {way_out}"
        listed = "".join(f"\n  {one}" for one in self.candidates) + (f"\n  and {self.more} more" if self.more else "")
        many = len(self.candidates) + self.more
        return f"not one recording but {many} fit {self.wanted!r}: give more of one's name or id{listed}"


class RecordingUnfinished(PermanentError):
    """A recording that grows still, or that a crash left for the next start of its server."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file

    def __str__(self) -> str:
        way_out = "its server finishes it at its end, or when it starts again"
        return f"the recording {self.file!r} grows still, or a crash left it: {way_out}"


class CannotListen(PermanentError):
    """The server cannot listen at the address."""

    def __init__(self, host: str, port: int, cause: str) -> None:
        super().__init__(host, port, cause)
        self.host = host
        self.port = port
        self.cause = cause

    def __str__(self) -> str:
        remedy = "choose another --port (0 picks a free one) or --host"
        return f"cannot listen on {self.host}:{self.port}: {self.cause}; {remedy}"


class WorkerNotStarted(PermanentError):
    """A process of the server ended before it took connections; it has logged why, if it could."""

    def __init__(self, number: int, cause: str) -> None:
        super().__init__(number, cause)
        self.number = number
        self.cause = cause

    def __str__(self) -> str:
        return f"worker {self.number} ended before it took connections ({self.cause}): the log may say why"


class FolderUnusable(PermanentError):
    """A folder that cannot be created, written or locked.

    Attributes:
        flag: The setting that names the folder, such as `--audio-dir`.
        folder: The folder.
        cause: What was wrong.
    """

    def __init__(self, flag: str, folder: str, cause: str) -> None:
        super().__init__(flag, folder, cause)
        self.flag = flag
        self.folder = folder
        self.cause = cause

    def __str__(self) -> str:
        return f"cannot use the folder {self.folder!r}: {self.cause}; choose another with {self.flag}"


class AudioNotSaved(PermanentError):
    """The client had to stop before everything was saved.

    Attributes:
        samples: How many voiced samples the server did not confirm as saved.
        cause: Why the client stopped.
        kept_s: Seconds of audio that are in the spool, for the next start of the client to send.
        written_s: Seconds that the server has written already, in a recording that it has not closed yet.
    """

    def __init__(self, samples: int, cause: str, kept_s: float = 0.0, written_s: float = 0.0) -> None:
        super().__init__(samples, cause, kept_s, written_s)
        self.samples = samples
        self.cause = cause
        self.kept_s = kept_s
        self.written_s = written_s

    def __str__(self) -> str:
        written = f"; the server has written {self.written_s:.1f} s of it already" if self.written_s else ""
        kept = f"; {self.kept_s:.1f} s are kept in the spool, and the next start sends them" if self.kept_s else ""
        speech = f"speech of {SPEECH.seconds_from(self.samples):.1f} s"
        return f"{speech} was not confirmed as saved: {self.cause}{written}{kept}"


class EngineUnavailable(PermanentError):
    """A package, a model or a service that an engine needs is not there.

    Attributes:
        engine: The engine.
        cause: What is missing.
        hint: What to do about it.
    """

    def __init__(self, engine: str, cause: str, hint: str) -> None:
        super().__init__(engine, cause, hint)
        self.engine = engine
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.engine} cannot be used ({self.cause}): {self.hint}"


class MessageInvalid(PermanentError):
    """A message from a queue that is none of ours, or of another version.

    Attributes:
        queue: Where it was.
        cause: What was wrong with it.
        raw: The message as it was received.
    """

    def __init__(self, queue: str, cause: str, raw: str) -> None:
        super().__init__(queue, cause, raw)
        self.queue = queue
        self.cause = cause
        self.raw = raw

    def __str__(self) -> str:
        return f"a message in {self.queue} cannot be read: {self.cause}"


class StoreUnusable(PermanentError):
    """A queue store or database that cannot be used as it is.

    Attributes:
        store: Which, with its address, without a password.
        cause: What was wrong.
        hint: What to do about it.
    """

    def __init__(self, store: str, cause: str, hint: str) -> None:
        super().__init__(store, cause, hint)
        self.store = store
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        return f"cannot use the {self.store}: {self.cause}; {self.hint}"


class CallNotFound(PermanentError):
    """No call with that id, or several that begin with it."""

    def __init__(self, call_id: str, cause: str) -> None:
        super().__init__(call_id, cause)
        self.call_id = call_id
        self.cause = cause

    def __str__(self) -> str:
        return f"there is {self.cause} {self.call_id!r}: `plugandtell calls list` shows all"


class CallFailed(PermanentError):
    """A call has failed for good.

    Attributes:
        call_id: The call.
        stage: Where.
        message: Why, in plain words.
    """

    def __init__(self, call_id: str, stage: str, message: str) -> None:
        super().__init__(call_id, stage, message)
        self.call_id = call_id
        self.stage = stage
        self.message = message

    def __str__(self) -> str:
        return f"call {self.call_id} failed in {self.stage}: {self.message}"
