from __future__ import annotations

import pytest

from plugandtell.core.errors import PlugAndTellError
from plugandtell.core.exit_status import ANALYTICS, CLIENT, MEANINGS, RECORDINGS, SERVER, ExitStatus, exit_status_of
from tests.core.test_errors import EXAMPLES

EXPECTED = {
    "InvalidSetting": ExitStatus.USAGE,
    "ConfigurationUnreadable": ExitStatus.USAGE,
    "CredentialsUnusable": ExitStatus.USAGE,
    "ServerUnreachable": ExitStatus.NO_SERVER,
    "ConnectionLost": ExitStatus.NO_SERVER,
    "NotOurServer": ExitStatus.NO_SERVER,
    "ServerNotTrusted": ExitStatus.NO_SERVER,
    "ProtocolError": ExitStatus.NO_SERVER,
    "DetectorUnavailable": ExitStatus.NO_DETECTOR,
    "NoMicrophone": ExitStatus.NO_MICROPHONE,
    "MicrophoneLost": ExitStatus.NO_MICROPHONE,
    "NoLoudspeaker": ExitStatus.NO_MICROPHONE,
    "RecordingNotFound": ExitStatus.BAD_INPUT,
    "RecordingUnfinished": ExitStatus.BAD_INPUT,
    "InputNotFound": ExitStatus.BAD_INPUT,
    "InputNotAudio": ExitStatus.BAD_INPUT,
    "InputEmpty": ExitStatus.BAD_INPUT,
    "Refused": ExitStatus.REFUSED,
    "ServerBusy": ExitStatus.REFUSED,
    "AudioNotSaved": ExitStatus.NOT_SAVED,
    "CannotListen": ExitStatus.CANNOT_LISTEN,
    "WorkerNotStarted": ExitStatus.BUG,
    "FolderUnusable": ExitStatus.FOLDER_UNUSABLE,
    "WriteFailed": ExitStatus.FOLDER_UNUSABLE,
    "AudioUnreachable": ExitStatus.BAD_INPUT,
    "InputTooLong": ExitStatus.BAD_INPUT,
    "CallNotFound": ExitStatus.BAD_INPUT,
    "StoreUnreachable": ExitStatus.NO_STORE,
    "StoreUnusable": ExitStatus.NO_STORE,
    "MessageInvalid": ExitStatus.NO_STORE,
    "EngineUnavailable": ExitStatus.NO_ENGINE,
    "CallFailed": ExitStatus.CALL_FAILED,
    "EngineFailed": ExitStatus.CALL_FAILED,
    "ChildCrashed": ExitStatus.CALL_FAILED,
    "StageTimedOut": ExitStatus.CALL_FAILED,
    "AlertNotSent": ExitStatus.CALL_FAILED,
}


@pytest.mark.parametrize("error", [error for error, _ in EXAMPLES], ids=lambda error: type(error).__name__)
def test_every_expected_error_has_an_exit_code_of_its_own_kind(error: PlugAndTellError) -> None:
    assert exit_status_of(error) is EXPECTED[type(error).__name__]


@pytest.mark.parametrize("error", [RuntimeError("x"), ValueError("x"), PlugAndTellError(), KeyboardInterrupt()])
def test_what_nobody_expected_is_a_bug(error: BaseException) -> None:
    assert exit_status_of(error) is ExitStatus.BUG


def test_every_code_has_a_meaning_of_its_own() -> None:
    assert set(MEANINGS) == set(ExitStatus)
    assert len(set(MEANINGS.values())) == len(ExitStatus)


def test_codes_are_distinct_and_clear_of_what_shells_use() -> None:
    assert len(ExitStatus.__members__) == len({status.value for status in ExitStatus})
    assert all(status.value < 126 for status in ExitStatus if status is not ExitStatus.INTERRUPTED)
    assert ExitStatus.INTERRUPTED == 128 + 2  # as a shell reports SIGINT


def test_the_commands_list_every_code_once() -> None:
    assert len(set(CLIENT)) == len(CLIENT)
    assert len(set(SERVER)) == len(SERVER)
    assert len(set(ANALYTICS)) == len(ANALYTICS)
    assert len(set(RECORDINGS)) == len(RECORDINGS)
    assert set(CLIENT) | set(SERVER) | set(ANALYTICS) == set(ExitStatus)
