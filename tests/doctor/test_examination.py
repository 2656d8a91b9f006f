"""Checks that fail, hang and crash, beside others that do not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from plugandtell.core.exit_status import ExitStatus
from plugandtell.doctor.examination import Check, examine, in_child
from plugandtell.doctor.finding import Finding, Verdict, finding_of, ok, one_line, warning
from tests.support.processes import WITHIN_S

if TYPE_CHECKING:
    from collections.abc import Iterator


def well(name: str) -> Check:
    def run() -> Iterator[Finding]:
        yield ok(name, "well")

    return Check(name, ExitStatus.BUG, run, WITHIN_S)


def test_findings_come_in_the_order_of_the_checks() -> None:
    second_is_done = threading.Event()

    def slow() -> Iterator[Finding]:
        assert second_is_done.wait(WITHIN_S)
        yield ok("first", "well")
        yield ok("first again", "well")

    def quick() -> Iterator[Finding]:
        yield ok("second", "well")
        second_is_done.set()

    checks = [Check("first", ExitStatus.BUG, slow, WITHIN_S), Check("second", ExitStatus.BUG, quick, WITHIN_S)]
    assert [finding.name for finding in examine(checks)] == ["first", "first again", "second"]


def test_one_that_fails_hides_none() -> None:
    def fails() -> Iterator[Finding]:
        yield ok("fails", "so far")
        raise ZeroDivisionError("by\nzero")

    found = list(examine([Check("fails", ExitStatus.NO_SERVER, fails, WITHIN_S), well("other")]))
    assert [finding.verdict for finding in found] == [Verdict.OK, Verdict.BROKEN, Verdict.OK]
    assert found[1].said == "this check itself failed: ZeroDivisionError: by; zero"
    assert found[1].status is ExitStatus.BUG


def test_one_that_hangs_hides_none_and_keeps_what_it_said() -> None:
    released = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield warning("first part", "so far", "go on")
        released.wait()

    found = list(examine([Check("hangs", ExitStatus.NO_MICROPHONE, hangs, 0.05), well("other")]))
    released.set()
    assert [finding.name for finding in found] == ["first part", "hangs", "other"]
    assert (found[1].said, found[1].status) == ("no answer within 0.05 s", ExitStatus.NO_MICROPHONE)
    assert found[1].remedy


def test_a_process_that_takes_too_long_is_ended() -> None:
    slow = in_child(Check("clock", ExitStatus.NO_MICROPHONE, well("clock").run, 0.001), [])
    found = list(examine([slow, well("other")]))
    assert [(finding.name, finding.verdict) for finding in found] == [("clock", Verdict.BROKEN), ("other", Verdict.OK)]
    assert found[0].said.startswith("no answer within")


def test_a_process_that_does_not_start_its_work_tells_why() -> None:
    unknown = in_child(Check("no check", ExitStatus.NO_MICROPHONE, well("it").run, WITHIN_S), [])
    (found,) = examine([unknown])
    assert (found.verdict, found.status) == (Verdict.BROKEN, ExitStatus.NO_MICROPHONE)
    assert "--only is 'no check'" in found.said


def test_a_finding_survives_the_way_to_another_process() -> None:
    finding = warning("name", "said", "remedy")
    assert finding_of(finding.fields()) == finding


def test_a_finding_is_a_line_whatever_is_in_it() -> None:
    assert one_line("two\n  lines\r\n\x1b[31m") == "two; lines; \\x1b[31m"
    assert len(one_line("x" * 1000)) == 401
