from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plugandtell.core.errors import InvalidSetting
from plugandtell.core.protocol.messages import EndReason
from tests.recordings.leaving import id_of, leave, leave_growing, tone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.recordings.conftest import Ask


def ids(printed: str) -> list[str]:
    return [line.split()[0] for line in printed.splitlines()[1:] if line]


def short(*numbers: int) -> list[str]:
    return [id_of(number)[:8] for number in numbers]


def test_the_newest_come_first_with_all_that_a_table_should_tell(audio: Path, ask: Ask) -> None:
    leave(audio, 1, tone(107_040))
    leave(audio, 2, label="front desk", reason=EndReason.RECOVERED)
    lines = ask().splitlines()
    assert lines == [
        "ID        STARTED (LOCAL)         LENGTH  VOICE  REASON        CLIENT",
        "a0000002  2026-11-24 14:02:00     0:01.0      ?  recovered     front desk",
        "a0000001  2026-11-24 14:01:00     0:06.7    50%  silence       reception",
    ]
    assert ask("list").splitlines() == lines


def test_the_list_is_limited_and_says_so(audio: Path, ask: Ask) -> None:
    for number in range(3):
        leave(audio, number)
    printed = ask("list", "--limit=2")
    assert ids(printed)[:2] == short(2, 1)
    assert printed.endswith("\nthe newest 2 of 3\n")
    assert "newest" not in ask("list", "--limit=4")


def test_the_list_can_be_of_one_client(audio: Path, ask: Ask) -> None:
    leave(audio, 1, label="Reception")
    leave(audio, 2, label="lab")
    leave(audio, 3, label="x", token="reception-2")
    assert ids(ask("list", "--client=reception")) == short(3, 1)
    assert "none of these recordings is in" in ask("list", "--client=nobody")


@pytest.mark.parametrize("since", ["2026-11-24T14:02", "2026-11-24 14:02:00", "2026-11-24T12:02:00+00:00"])
def test_the_list_can_begin_at_a_time_of_this_machine_or_another(audio: Path, ask: Ask, since: str) -> None:
    for number in (1, 2, 3):
        leave(audio, number)
    assert ids(ask("list", "--since", since)) == short(3, 2)


def test_the_list_can_begin_some_time_ago(audio: Path, ask: Ask) -> None:
    leave(audio, 1)
    assert ids(ask("list", "--since=5000w")) == short(1)
    with pytest.raises(InvalidSetting, match="--since is 'yesterday'"):
        ask("list", "--since=yesterday")


def test_a_recording_that_was_renamed_is_found_by_its_time_nevertheless(audio: Path, ask: Ask) -> None:
    path = leave(audio, 1)
    for ending in (".wav", ".json"):
        path.with_suffix(ending).rename(audio / f"0-renamed{ending}")
    assert ids(ask("list", "--since=2026-11-24T14:01")) == short(1)
    assert "none of these" in ask("list", "--since=2026-11-24T14:02")


def test_scripts_get_the_whole_sidecar_a_line_each(audio: Path, ask: Ask) -> None:
    paths = [leave(audio, 1), leave(audio, 2, ending=".flac")]
    told = [json.loads(line) for line in ask("list", "--json").splitlines()]
    for one, path in zip(told, reversed(paths), strict=True):
        assert one == json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) | {"path": str(path)}


def test_whatever_a_client_calls_itself_reaches_no_terminal(audio: Path, ask: Ask) -> None:
    leave(audio, 1, label="\x1b[2J\u202e\nevil")
    for printed in (ask("list"), ask("list", "--json"), ask("show", "last"), ask("show", "last", "--json")):
        assert "evil" in printed
        assert all(character.isprintable() or character == "\n" for character in printed)
    assert len(ask("list").splitlines()) == 2


def test_what_is_no_recording_is_named_and_does_no_harm(audio: Path, warned: Ask) -> None:
    leave(audio, 1)
    leave(audio, 2).unlink()
    sidecar = leave(audio, 3).with_suffix(".json")
    sidecar.write_text(sidecar.read_text()[:200])
    (audio / "package.json").write_text('{"name": "x"}')
    (audio / "binary.json").write_bytes(b"\xff\xfe")
    (audio / "folder.json").mkdir()
    (audio / "music.flac").touch()
    (audio / "notes.txt").touch()
    named = warned("list")
    for name in ("12-02-00", "12-03-00", "package.json", "binary.json", "folder.json", "music.flac"):
        assert name in named
    assert "12-01-00" not in named
    assert "notes.txt" not in named


def test_many_warnings_do_not_run_away(audio: Path, warned: Ask) -> None:
    for number in range(30):
        (audio / f"{number}.json").touch()
    lines = warned("list").splitlines()
    assert len(lines) == 11
    assert lines[-1] == "and 20 more warnings"


def test_what_grows_still_is_counted(audio: Path, ask: Ask) -> None:
    leave(audio, 1)
    leave_growing(audio, 2)
    printed = ask("list")
    assert ids(printed)[:1] == short(1)
    assert "\n1 not finished: growing still" in printed


def test_an_empty_folder_says_what_to_do(audio: Path, ask: Ask) -> None:
    assert "`plugandtell run`" in ask("list")
    audio.rmdir()
    assert f"no recordings are in {audio}" in ask("list")
    assert ask("list", "--json") == ""


def test_the_folder_is_the_servers_wherever_that_is_set(audio: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(("flag", "variable", "file", "audio")):
        leave(audio.with_name(name), number)
    assert ids(ask("list")) == short(3)
    settings = '[server]\naudio_dir = "file"\nlimit = "no number"\nport = 1\n[client]\ndevice = "x"\n'
    (audio.parent / "plugandtell.toml").write_text(settings)
    assert ids(ask("list")) == short(2)
    monkeypatch.setenv("PLUGANDTELL_AUDIO_DIR", "variable")
    monkeypatch.setenv("PLUGANDTELL_CLIENT", "means something else")
    assert ids(ask("list")) == short(1)
    assert ids(ask("list", "--audio-dir=flag")) == short(0)
