"""What the exit codes of the three commands mean."""

from __future__ import annotations

from enum import IntEnum

from plugandtell.core import errors


class ExitStatus(IntEnum):
    """Exit codes, the same for `plugandtell`, `plugandtell-client` and `plugandtell-server`."""

    OK = 0
    BUG = 1
    USAGE = 2
    NO_SERVER = 3
    NO_MICROPHONE = 4
    BAD_INPUT = 5
    REFUSED = 6
    NOT_SAVED = 7
    CANNOT_LISTEN = 8
    FOLDER_UNUSABLE = 9
    NO_DETECTOR = 10
    NO_STORE = 11
    NO_ENGINE = 12
    CALL_FAILED = 13
    INTERRUPTED = 130


MEANINGS = {
    ExitStatus.OK: "success; of a recording: everything voiced was acknowledged and saved",
    ExitStatus.BUG: "an unexpected error; the traceback is in the log, and shown with --debug",
    ExitStatus.USAGE: "a flag, variable or configuration value that cannot be used",
    ExitStatus.NO_SERVER: "no server answers, or what answers is not PlugAndTell or not to be trusted",
    ExitStatus.NO_MICROPHONE: "no microphone or loudspeaker, or it went away for good",
    ExitStatus.BAD_INPUT: "the input is missing, empty or not audio",
    ExitStatus.REFUSED: "the server refused the stream",
    ExitStatus.NOT_SAVED: "it had to stop before everything was saved",
    ExitStatus.CANNOT_LISTEN: "the port is in use, or the address is not this machine's",
    ExitStatus.FOLDER_UNUSABLE: "the audio or log folder cannot be written",
    ExitStatus.NO_DETECTOR: "no voice detector can be loaded",
    ExitStatus.NO_STORE: "the queue store or the database does not answer, or cannot be used",
    ExitStatus.NO_ENGINE: "a package or a model that the analysis needs is missing",
    ExitStatus.CALL_FAILED: "a call failed for good",
    ExitStatus.INTERRUPTED: "interrupted; of a recording: a second time, before everything was saved",
}

_STATUS_OF: tuple[tuple[type[errors.PlugAndTellError], ExitStatus], ...] = (
    (errors.InvalidSetting, ExitStatus.USAGE),
    (errors.ConfigurationUnreadable, ExitStatus.USAGE),
    (errors.CredentialsUnusable, ExitStatus.USAGE),
    (errors.ServerUnreachable, ExitStatus.NO_SERVER),
    (errors.ConnectionLost, ExitStatus.NO_SERVER),
    (errors.NotOurServer, ExitStatus.NO_SERVER),
    (errors.ServerNotTrusted, ExitStatus.NO_SERVER),
    (errors.ProtocolError, ExitStatus.NO_SERVER),
    (errors.DetectorUnavailable, ExitStatus.NO_DETECTOR),
    (errors.MicrophoneError, ExitStatus.NO_MICROPHONE),
    (errors.NoLoudspeaker, ExitStatus.NO_MICROPHONE),
    (errors.InputError, ExitStatus.BAD_INPUT),
    (errors.RecordingNotFound, ExitStatus.BAD_INPUT),
    (errors.RecordingUnfinished, ExitStatus.BAD_INPUT),
    (errors.Refused, ExitStatus.REFUSED),
    (errors.ServerBusy, ExitStatus.REFUSED),
    (errors.AudioNotSaved, ExitStatus.NOT_SAVED),
    (errors.CannotListen, ExitStatus.CANNOT_LISTEN),
    (errors.WorkerNotStarted, ExitStatus.BUG),
    (errors.FolderUnusable, ExitStatus.FOLDER_UNUSABLE),
    (errors.WriteFailed, ExitStatus.FOLDER_UNUSABLE),
    (errors.AudioUnreachable, ExitStatus.BAD_INPUT),
    (errors.StoreUnreachable, ExitStatus.NO_STORE),
    (errors.StoreUnusable, ExitStatus.NO_STORE),
    (errors.MessageInvalid, ExitStatus.NO_STORE),
    (errors.EngineUnavailable, ExitStatus.NO_ENGINE),
    (errors.CallNotFound, ExitStatus.BAD_INPUT),
    (errors.CallFailed, ExitStatus.CALL_FAILED),
    (errors.EngineFailed, ExitStatus.CALL_FAILED),
    (errors.ChildCrashed, ExitStatus.CALL_FAILED),
    (errors.StageTimedOut, ExitStatus.CALL_FAILED),
    (errors.AlertNotSent, ExitStatus.CALL_FAILED),
)


def exit_status_of(error: BaseException) -> ExitStatus:
    """The exit code that tells the user's script about this error."""
    for kind, status in _STATUS_OF:
        if isinstance(error, kind):
            return status
    return ExitStatus.BUG


COMMON = (ExitStatus.OK, ExitStatus.BUG, ExitStatus.USAGE, ExitStatus.FOLDER_UNUSABLE, ExitStatus.INTERRUPTED)
SERVER = (*COMMON, ExitStatus.CANNOT_LISTEN, ExitStatus.NOT_SAVED)
CLIENT = (
    *COMMON,
    ExitStatus.NO_SERVER,
    ExitStatus.NO_MICROPHONE,
    ExitStatus.BAD_INPUT,
    ExitStatus.REFUSED,
    ExitStatus.NOT_SAVED,
    ExitStatus.NO_DETECTOR,
)
RECORDINGS = (*COMMON, ExitStatus.NO_MICROPHONE, ExitStatus.BAD_INPUT)
DEVICES = (ExitStatus.OK, ExitStatus.BUG, ExitStatus.USAGE, ExitStatus.NO_MICROPHONE, ExitStatus.INTERRUPTED)
DOCTOR = (
    *COMMON,
    ExitStatus.NO_SERVER,
    ExitStatus.NO_MICROPHONE,
    ExitStatus.REFUSED,
    ExitStatus.CANNOT_LISTEN,
    ExitStatus.NO_DETECTOR,
)
GATE = (ExitStatus.OK, ExitStatus.BUG, ExitStatus.USAGE, ExitStatus.BAD_INPUT, ExitStatus.NO_DETECTOR)
ANALYTICS = (
    *COMMON,
    ExitStatus.BAD_INPUT,
    ExitStatus.NO_STORE,
    ExitStatus.NO_ENGINE,
    ExitStatus.CALL_FAILED,
)
