from __future__ import annotations

import os
from typing import Any

import pytest

from plugandtell.client.sound_system import SoundSystem
from plugandtell.core.errors import NoMicrophone
from tests.client.fake_sound import STUDIO, FakeSound, FakeStream

STDERR = 2


class TalkativeSound(FakeSound):
    """Prints, as ALSA does, whatever happens."""

    def RawInputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        os.write(STDERR, b"Expression 'r' failed\n")
        return super().RawInputStream(**settings)


def system_of(sound: FakeSound) -> SoundSystem:
    return SoundSystem(lambda: sound, lambda: 0.0, lambda: None, 50)


@pytest.mark.parametrize("opens", [True, False])
def test_a_page_of_complaints_at_each_try_is_not_shown(opens: bool, capfd: pytest.CaptureFixture[str]) -> None:
    sound = TalkativeSound(*STUDIO)
    sound.start_fails = not opens
    if opens:
        assert system_of(sound).reopen(None, afresh=True).device.name == "Built-in"
    else:
        with pytest.raises(NoMicrophone):
            system_of(sound).reopen(None, afresh=True)
    os.write(STDERR, b"this is shown\n")
    assert capfd.readouterr().err == "this is shown\n"


def test_new_devices_are_seen_by_a_sound_system_that_is_started_afresh() -> None:
    sound = FakeSound(*STUDIO)
    system = system_of(sound)
    sound.devices = (("Headset", 1, 16_000),)
    assert system.reopen(None, afresh=False).device.name == "Built-in"
    sound.streams[-1].close()
    assert system.reopen(None, afresh=True).device.name == "Headset"


def test_a_start_that_failed_halfway_is_made_up_for() -> None:
    sound = FakeSound(*STUDIO)
    sound.restart_fails = True
    for _ in range(2):
        with pytest.raises(NoMicrophone, match="does not start"):
            system_of(sound).reopen(None, afresh=True)
    sound.restart_fails = False
    assert system_of(sound).reopen(None, afresh=True).device.name == "Built-in"
