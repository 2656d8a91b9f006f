from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import pytest

from plugandtell.core import errors
from plugandtell.core.errors import PermanentError, PlugAndTellError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "ws://127.0.0.1:3000"
EXAMPLES: list[tuple[PlugAndTellError, list[str]]] = [
    (
        errors.ServerUnreachable(URL, "connection refused"),
        [URL, "connection refused", "plugandtell-server", "--server"],
    ),
    (errors.ConnectionLost(URL, "close code 1006"), [URL, "close code 1006"]),
    (errors.ServerBusy(URL, "the server is full"), [URL, "the server is full"]),
    (errors.WriteFailed("audio/a.wav", "no space left"), ["'audio/a.wav'", "no space left", "kept"]),
    (errors.AudioUnreachable("https://a/b.wav", "HTTP 503"), ["'https://a/b.wav'", "HTTP 503"]),
    (
        errors.StoreUnreachable("database", "postgresql://db/calls", "refused"),
        ["database at postgresql://db/calls", "refused", "check"],
    ),
    (errors.EngineFailed("whisper", "HTTP 500"), ["whisper failed", "HTTP 500"]),
    (errors.ChildCrashed("transcription", "signal 11"), ["transcription", "signal 11"]),
    (errors.StageTimedOut("transcription", 30.0), ["transcription", "30 s"]),
    (errors.AlertNotSent("webhook", "HTTP 503"), ["alert", "webhook", "HTTP 503"]),
    (errors.InputTooLong("a.wav", "5 h, but at most 4 h"), ["'a.wav'", "at most 4 h"]),
    (errors.EngineUnavailable("whisper", "no model", "name one"), ["whisper", "no model", "name one"]),
    (errors.MessageInvalid("retry_queue", "not JSON", "x"), ["retry_queue", "not JSON"]),
    (errors.StoreUnusable("database at sqlite://", "locked", "wait"), ["database at sqlite://", "locked", "wait"]),
    (errors.CallNotFound("7f", "no call"), ["no call '7f'", "calls list"]),
    (errors.CallFailed("7f", "transcription", "not audio"), ["7f", "transcription", "not audio"]),
    (errors.InvalidSetting("--silence", "soon", "from 0.2 to 3600"), ["--silence", "'soon'", "from 0.2 to 3600"]),
    (errors.ConfigurationUnreadable("plugandtell.toml", "line 3"), ["plugandtell.toml", "line 3", "mend"]),
    (errors.CredentialsUnusable("--tls-key", "k.pem", "no key"), ["--tls-key", "'k.pem'", "no key"]),
    (errors.ServerNotTrusted(URL, "it expired", "renew it"), [URL, "it expired", "renew it", "nothing was sent"]),
    (errors.ProtocolError(1007, "not_json", "a text message: 'x'", "x"), ["not_json", "1007", "a text message: 'x'"]),
    (errors.NotOurServer(URL, "it answers HTTP 404"), [URL, "it answers HTTP 404", "--server"]),
    (errors.Refused(URL, 1008, "format refused"), [URL, "format refused", "1008"]),
    (errors.DetectorUnavailable("silero", "no module", "reinstall it"), ["silero", "no module", "reinstall it"]),
    (errors.NoMicrophone("no input device"), ["no input device"]),
    (
        errors.NoMicrophone("no device is named 'x'", ("0 built-in", "1 USB"), "choose with --device"),
        ["no device is named 'x'", "\n  0 built-in", "\n  1 USB", "choose with --device"],
    ),
    (errors.MicrophoneLost("USB", "it was unplugged"), ["'USB'", "it was unplugged", "is saved"]),
    (
        errors.NoLoudspeaker("no device is named 'x'", ("0 built-in",), "choose with --device"),
        ["no device is named 'x'", "\n  0 built-in", "choose with --device"],
    ),
    (errors.RecordingNotFound("7f", "audio"), ["'7f'", "'audio'", "recordings list", "--audio-dir"]),
    (
        errors.RecordingNotFound("7f", "audio", ("7f01  a.wav", "7f02  b.wav"), 3),
        [
            "not one recording but 5 fit '7f'",
            "\n  7f01  a.wav",
            "\n  7f02  b.wav",
            "\n  and 3 more",
            "more of one's name",
        ],
    ),
    (errors.RecordingUnfinished("a.wav"), ["'a.wav'", "grows", "server"]),
    (errors.InputNotFound("a.wav", "no such file"), ["'a.wav'", "no such file"]),
    (errors.InputNotAudio("a.txt", "no known format"), ["'a.txt'", "no known format"]),
    (errors.InputEmpty("-", "not one sample"), ["'-'", "not one sample"]),
    (errors.CannotListen("127.0.0.1", 80, "permission denied"), ["127.0.0.1:80", "permission denied", "--port"]),
    (errors.WorkerNotStarted(2, "signal 9"), ["worker 2", "signal 9", "log"]),
    (errors.FolderUnusable("--audio-dir", "audio", "read-only"), ["'audio'", "read-only", "--audio-dir"]),
    (errors.AudioNotSaved(1600, "not done within 10 s"), ["speech of 0.1 s", "not done within 10 s"]),
    (
        errors.AudioNotSaved(4800, "the server is gone", 0.1, 0.2),
        ["speech of 0.3 s", "the server is gone", "the server has written 0.2 s", "0.1 s are kept in the spool"],
    ),
]


def leaves(kind: type[PlugAndTellError] = PlugAndTellError) -> Iterator[type[PlugAndTellError]]:
    below = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    for child in below:
        yield from leaves(child)
    if not below:
        yield kind


@pytest.mark.parametrize(("error", "named"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_the_text_names_the_data(error: PlugAndTellError, named: list[str]) -> None:
    for part in named:
        assert part in str(error)
    assert str(error)[0].islower() or str(error)[0] in "-1"


@pytest.mark.parametrize(("error", "named"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_the_data_stays_with_the_error(error: PlugAndTellError, named: list[str]) -> None:
    parameters = list(inspect.signature(type(error)).parameters)
    assert [getattr(error, name) for name in parameters] == list(error.args)
    assert named


def test_every_error_has_an_example() -> None:
    assert {type(error) for error, _ in EXAMPLES} == set(leaves())


@pytest.mark.parametrize("kind", list(leaves()), ids=lambda kind: kind.__name__)
def test_every_error_is_transient_or_permanent_and_never_both(kind: type[PlugAndTellError]) -> None:
    assert issubclass(kind, TransientError) is not issubclass(kind, PermanentError)


def test_only_what_time_may_mend_is_transient() -> None:
    assert {kind for kind in leaves() if issubclass(kind, TransientError)} == {
        errors.ServerUnreachable,
        errors.ConnectionLost,
        errors.ServerBusy,
        errors.WriteFailed,
        errors.AudioUnreachable,
        errors.StoreUnreachable,
        errors.EngineFailed,
        errors.ChildCrashed,
        errors.StageTimedOut,
        errors.AlertNotSent,
    }


def test_an_unusable_setting_is_a_value_error_to_whoever_validates() -> None:
    assert issubclass(errors.InvalidSetting, ValueError)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn: dict[int, str] = {}
    parents: dict[str, str] = {}
    for line in re.findall(r"^(?:[│ ]*[├└]── )?\w+(?= {2,}|$)", errors.__doc__, re.MULTILINE):
        name = line.split("── ")[-1]
        depth = (len(line) - len(name)) // 4
        drawn[depth] = name
        parents[name] = drawn.get(depth - 1, "Exception")
    classes = dict(inspect.getmembers(errors, inspect.isclass))
    assert parents == {name: kind.__mro__[1].__name__ for name, kind in classes.items()}
