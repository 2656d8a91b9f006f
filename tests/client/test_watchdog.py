from __future__ import annotations

from plugandtell.client.capture import Capture
from plugandtell.client.watchdog import FIRST_AUDIO_S, LOOK_EVERY_S, NO_AUDIO_S, Watchdog
from plugandtell.core.audio import SPEECH

MORE = round(NO_AUDIO_S / LOOK_EVERY_S)
FIRST = round(FIRST_AUDIO_S / LOOK_EVERY_S)


def watched(heard_samples: int) -> tuple[Capture, Watchdog]:
    capture = Capture(SPEECH, lambda: 0.0, lambda: None)
    capture.heard_samples = heard_samples
    return capture, Watchdog(capture)


def looks(watchdog: Watchdog, times: int) -> list[str | None]:
    return [watchdog.look() for _ in range(times)]


def test_a_device_is_given_time_to_wake() -> None:
    _, watchdog = watched(0)
    assert looks(watchdog, FIRST) == [None] * (FIRST - 1) + ["the device delivers no audio"]


def test_a_device_that_goes_mute_is_lost() -> None:
    _, watchdog = watched(320)
    assert looks(watchdog, 1 + MORE) == [None] * MORE + ["the device delivers no more audio"]


def test_a_sign_of_life_starts_it_over() -> None:
    capture, watchdog = watched(320)
    for _ in range(5):
        assert not any(looks(watchdog, MORE - 1))
        capture.heard_samples += 320
    assert not any(looks(watchdog, MORE))
    assert watchdog.look()


def test_a_stream_that_has_finished_is_lost_at_once() -> None:
    capture, watchdog = watched(320)
    assert watchdog.look() is None
    capture.finish()
    assert watchdog.look() == "the device was disconnected"
