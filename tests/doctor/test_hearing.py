from __future__ import annotations

import pytest

from plugandtell.core.exit_status import ExitStatus
from plugandtell.doctor.finding import Verdict
from plugandtell.doctor.hearing import check_detectors, judge_loudest


def test_zeros_are_a_missing_permission_where_the_system_sends_them_instead() -> None:
    kept = judge_loudest(0, "darwin")
    assert (kept.verdict, kept.status) == (Verdict.BROKEN, ExitStatus.NO_MICROPHONE)
    assert "Privacy & Security > Microphone" in kept.remedy
    assert judge_loudest(0, "linux").verdict is Verdict.WARNING
    assert judge_loudest(3277, "darwin").said == "it is heard: -20 dB at most in half a second"


@pytest.mark.parametrize("spec", ["auto", "silero", "webrtc", "webrtc:3"])
def test_detectors_are_tried(spec: str) -> None:
    (found,) = check_detectors(spec)
    assert (found.verdict, found.said.endswith(" works")) == (Verdict.OK, True)


def test_no_detector_and_an_unknown_one_are_told() -> None:
    (none,) = check_detectors("none")
    assert none.verdict is Verdict.WARNING
    (unknown,) = check_detectors("tape")
    assert (unknown.verdict, unknown.status) == (Verdict.BROKEN, ExitStatus.USAGE)
