"""Settings: from where they come, and how they reach a child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugandtell.client.cli import app as client_app
from plugandtell.client.gate_options import GateOptions
from plugandtell.client.settings import ClientSettings
from plugandtell.command import LogOptions, check_range, flags_of, run_to_exit
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.log_level import LogLevel
from plugandtell.core.pace import Pace
from plugandtell.core.recording import GapPolicy
from plugandtell.server.cli import app as server_app
from plugandtell.server.settings import ServerSettings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a configuration file, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("PORT", "SILENCE", "LABEL", "GAPS"):
        monkeypatch.delenv(f"PLUGANDTELL_{name}", raising=False)


def parsed(app: Any, *arguments: str) -> Any:
    """What a command would be called with."""
    return app.parse_args([*arguments], exit_on_error=False, print_error=False)[1].arguments


def test_flags_say_all_that_the_options_say() -> None:
    server = ServerSettings(
        port=7,
        audio_dir=Path("a b"),
        silence=1.5,
        gaps=GapPolicy.DROP,
        tokens_file=Path("t"),
        tls_cert=Path("c"),
        tls_key=Path("k"),
        allow_origin=("https://a.example", "https://b.example"),
        allow_anonymous=True,
    )
    log = LogOptions(log_level=LogLevel.DEBUG)
    assert parsed(server_app, *flags_of(server, log)) == {"settings": server, "log": log}
    client = ClientSettings(input="-", device="--odd", fallback=Path("x"), pace=Pace.FAST, label="*")
    gate = GateOptions(vad="none", voice_on=0.7, hangover_ms=100)
    assert parsed(client_app, *flags_of(client, gate, log)) == {"settings": client, "gate": gate, "log": log}


def test_flags_win_over_the_environment_of_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = flags_of(ServerSettings())
    monkeypatch.setenv("PLUGANDTELL_SILENCE", "9")
    assert parsed(server_app)["settings"].silence == 9
    assert parsed(server_app, *flags)["settings"] == ServerSettings()


def test_origins_may_come_from_the_environment_and_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("plugandtell.toml").write_text('[server]\nallow_origin = ["https://a.example", "https://b.example"]\n')
    assert parsed(server_app)["settings"].allow_origin == ("https://a.example", "https://b.example")
    monkeypatch.setenv("PLUGANDTELL_ALLOW_ORIGIN", "https://c.example https://d.example")
    assert parsed(server_app)["settings"].allow_origin == ("https://c.example", "https://d.example")


def test_a_secret_in_the_environment_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUGANDTELL_TOKENS", "alice:secret")
    monkeypatch.setenv("PLUGANDTELL_TOKEN", "secret")
    assert "secret" not in repr((parsed(server_app), parsed(client_app, "--label=x")))


@pytest.mark.parametrize("value", [0.9, 2.1, float("nan"), float("inf")])
def test_a_number_out_of_range_is_named_with_its_range(value: float) -> None:
    with pytest.raises(InvalidSetting, match=r"--pace-s is .*, but must be from 1 to 2"):
        check_range("--pace-s", value, 1, 2)


@pytest.mark.parametrize(
    "settings", [{"port": -1}, {"silence": 0}, {"max_duration": 86_401}, {"max_message_bytes": 1}, {"max_streams": 0}]
)
def test_a_server_setting_out_of_range_is_named_as_its_flag(settings: dict[str, Any]) -> None:
    flag = f"--{next(iter(settings)).replace('_', '-')}"
    with pytest.raises(InvalidSetting, match=flag):
        ServerSettings(**settings)


@pytest.mark.parametrize("settings", [{"batch_ms": 1001}, {"label": ""}, {"give_up_after": -1}])
def test_a_client_setting_out_of_range_is_named_as_its_flag(settings: dict[str, Any]) -> None:
    flag = f"--{next(iter(settings)).replace('_', '-')}"
    with pytest.raises(InvalidSetting, match=flag):
        ClientSettings(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"voice_on": 0},
        {"voice_sure": 1},
        {"voice_off": 0.6},
        {"onset_ms": 300},
        {"pre_roll_ms": -1},
        {"hangover_ms": 5001},
    ],
)
def test_a_gate_setting_out_of_range_is_named_as_its_flag(settings: dict[str, Any]) -> None:
    flag = f"--{next(iter(settings)).replace('_', '-')}"
    with pytest.raises(InvalidSetting, match=flag):
        GateOptions(**settings)


def test_the_hangover_is_no_longer_than_the_silence() -> None:
    settings = GateOptions().settings(512, 300)
    assert settings.hangover_samples == settings.hold_samples == 4800


def test_milliseconds_become_frames_of_the_detector() -> None:
    silero, webrtc = (GateOptions().settings(frame_samples, 3000) for frame_samples in (512, 320))
    assert (silero.start_voiced, silero.start_window, silero.keep_voiced, silero.keep_window) == (3, 8, 2, 4)
    assert (webrtc.start_voiced, webrtc.start_window, webrtc.keep_voiced, webrtc.keep_window) == (5, 13, 3, 6)


@pytest.mark.parametrize("content", [b"x = [", b"\xff\xfe", b"silence = 4", b"[servr]\nsilence = 4"])
def test_a_file_that_is_no_toml_is_named(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("plugandtell.toml").write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        run_to_exit(server_app)
    assert ended.value.code == 2
    assert "plugandtell.toml" in capsys.readouterr().err
