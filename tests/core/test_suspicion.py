"""Suspicion, read as letters, each a frame of one sample: `.` unvoiced, `#` voice, `-` voiced without evidence."""

from __future__ import annotations

import pytest

from plugandtell.core.suspicion import Suspicion

EVIDENCE = {".": None, "-": 0.0, "#": 1.0}


def after(heard: str) -> Suspicion:
    suspicion = Suspicion(frame_samples=1, window=3, gap_samples=4, reach_samples=10)
    for index, letter in enumerate(heard):
        suspicion.feed(index, EVIDENCE[letter])
    return suspicion


@pytest.mark.parametrize(
    ("heard", "onset"),
    [
        ("....", None),
        ("..-", 2),
        ("..#....", 2),  # over a pause of four it stands
        ("..#.....", None),  # over one of five it falls
        ("..-....#", 2),
        ("..-.....#", 8),
        ("-----------#", 2),  # and it reaches back so far
        ("#..#..#..#..#", 3),
    ],
)
def test_the_onset_is_where_the_stretch_began(heard: str, onset: int | None) -> None:
    assert after(heard).onset == onset


@pytest.mark.parametrize(
    ("heard", "evidence"), [("##", 2), ("#####", 3), ("#-.#", 1), ("##...", 0), ("##.....#", 1), ("---", 0)]
)
def test_only_the_latest_evidence_counts(heard: str, evidence: float) -> None:
    assert after(heard).evidence == evidence


@pytest.mark.parametrize(("heard", "density"), [("", 0), ("--", 0), ("-#", 1), ("#.", 0.5), ("#-#", 2 / 3), ("###", 1)])
def test_density_is_that_since_the_first_evidence(heard: str, density: float) -> None:
    assert after(heard).density == pytest.approx(density)


def test_the_end_is_that_of_the_last_voiced_frame() -> None:
    assert after("..#-..").voiced_to == 4


def test_what_is_forgotten_counts_no_more() -> None:
    suspicion = after("##")
    suspicion.forget()
    assert (suspicion.onset, suspicion.evidence) == (None, 0)
