"""The gate and what was never heard: `_` is a missing sample, `.` an unvoiced one, `#` a voiced one."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plugandtell.core.audio import AudioFormat
from plugandtell.core.gate import AudioGate, Decision, Gate, GateState, Output, Passed, Quiet, StateChanged
from tests.core.test_gate import AUDIO_SETTINGS, EVIDENCE, SETTINGS, Letters

AUDIO = AudioFormat(16_000, 1)
HOURS = 16_000 * 3600 * 24
stretches = st.lists(st.tuples(st.sampled_from("_.#"), st.integers(1, 12)), max_size=20)


def pcm_of(heard: str, at: int) -> bytes:
    """Every voiced sample tells its index."""
    return b"".join((at + i + 1 if letter == "#" else 0).to_bytes(2, "little") for i, letter in enumerate(heard))


def parts(text: str, cuts: list[int]) -> list[str]:
    """The text cut at these places, and wherever a hole begins or ends."""
    edges = {0, len(text), *cuts}
    edges |= {i for i in range(1, len(text)) if (text[i] == "_") is not (text[i - 1] == "_")}
    return [text[first:last] for first, last in itertools.pairwise(sorted(edges))]


def gated(pieces: list[str], gate: AudioGate | None = None) -> list[Output]:
    gate = gate or AudioGate(Letters(), AUDIO_SETTINGS, AUDIO)
    outputs: list[Output] = []
    at = 0
    for piece in pieces:
        outputs += gate.skip(len(piece)) if "_" in piece else gate.feed(pcm_of(piece, at))
        at += len(piece)
    return outputs + gate.flush()


def without_positions(outputs: list[Output]) -> tuple[dict[int, int], list[StateChanged], Quiet]:
    """The samples that passed, where the state changed, and the last position."""
    passed: dict[int, int] = {}
    for output in outputs:
        if isinstance(output, Passed):
            values = memoryview(output.pcm).cast("h")
            assert not passed.keys() & range(output.start, output.start + len(values))
            passed |= dict(enumerate(values, output.start))
    last = outputs[-1]
    assert isinstance(last, Quiet)
    return passed, [output for output in outputs if isinstance(output, StateChanged)], last


def recordings(text: str) -> list[list[int]]:
    """The samples sent, parted where the gate shut."""
    found: list[list[int]] = [[]]
    for output in gated(parts(text, [])):
        if isinstance(output, StateChanged) and output.state is GateState.LISTENING:
            found.append([])
        elif isinstance(output, Passed):
            found[-1] += range(output.start, output.start + len(output.pcm) // 2)
    return [samples for samples in found if samples]


def test_a_short_hole_in_speech_leaves_one_recording_with_a_gap() -> None:
    (samples,) = recordings("#" * 8 + "_" * 10 + "#" * 8)
    assert samples == [*range(8), *range(18, 26)]


def test_a_long_hole_in_speech_parts_two_recordings() -> None:
    assert recordings("#" * 8 + "_" * 21 + "#" * 8) == [[*range(8)], [*range(29, 37)]]


def test_what_was_heard_just_before_a_hole_is_sent_although_it_fills_no_frame() -> None:
    (samples,) = recordings("#" * 7 + "_" * 10)
    assert samples == [*range(7)]


def test_a_voice_that_a_hole_cuts_off_still_opens_the_gate() -> None:
    (samples,) = recordings("." * 10 + "#" * 4 + "_" * 40)
    assert samples == [*range(4, 14)]


def test_the_end_of_a_recording_is_told_at_once_in_a_hole() -> None:
    gate = AudioGate(Letters(), AUDIO_SETTINGS, AUDIO)
    gate.feed(pcm_of("#" * 8, 0))
    told = gate.skip(HOURS)
    assert Quiet(28, 8) in told
    assert StateChanged(GateState.LISTENING, 28) in told


@pytest.mark.parametrize("before", ["", "#" * 9, "." * 9 + "#", "#" * 8 + "." * 9, "#" * 8 + "." * 9 + "#"])
def test_a_hole_of_hours_is_one_step(before: str) -> None:
    gate = AudioGate(Letters(), AUDIO_SETTINGS, AUDIO)
    gate.feed(pcm_of(before, 0))
    outputs = gate.skip(HOURS)
    assert len(outputs) < 10
    assert isinstance(outputs[-1], Quiet)
    assert outputs[-1].index > len(before) + HOURS - 2 * AUDIO_SETTINGS.frame_samples
    assert gate.feed(pcm_of("#" * 8, 0))
    assert gate.kept_bytes < 100


@given(st.text(alphabet=".#", max_size=30), st.integers(0, 60), st.text(alphabet=".#", max_size=30))
@example("##", 10, "##")
@example("##........#", 1, "#")
def test_skipping_frames_decides_what_feeding_them_would(before: str, frames: int, after: str) -> None:
    def decide(skipped: bool) -> list[Decision]:
        gate = Gate(SETTINGS)
        decisions: list[Decision] = [*itertools.chain.from_iterable(gate.feed(EVIDENCE[letter]) for letter in before)]
        if skipped:
            decisions += gate.skip(frames)
        else:
            decisions += itertools.chain.from_iterable(gate.feed(None) for _ in range(frames))
        decisions += itertools.chain.from_iterable(gate.feed(EVIDENCE[letter]) for letter in after)
        decisions += gate.flush()
        return [item for item in decisions[:-1] if not isinstance(item, Quiet)] + decisions[-1:]

    assert decide(skipped=True) == decide(skipped=False)


@given(stretches, st.data())
def test_any_split_of_the_audio_gives_the_same_output(runs: list[tuple[str, int]], data: st.DataObject) -> None:
    text = "".join(letter * length for letter, length in runs)
    heard = [i for i, letter in enumerate(text) if letter != "_"] or [0]
    cuts = data.draw(st.lists(st.sampled_from(heard), max_size=8))
    assert gated(parts(text, cuts)) == gated(parts(text, []))


@given(stretches, st.lists(st.integers(0, 240), max_size=8))
def test_a_hole_that_is_told_of_bit_by_bit_is_the_same_hole(runs: list[tuple[str, int]], cuts: list[int]) -> None:
    text = "".join(letter * length for letter, length in runs)
    cuts = [min(cut, len(text)) for cut in cuts]
    assert without_positions(gated(parts(text, cuts))) == without_positions(gated(parts(text, [])))


@given(stretches)
def test_nothing_missing_is_sent_and_all_else_is_as_if_silence_stood_in_its_place(runs: list[tuple[str, int]]) -> None:
    text = "".join(letter * length for letter, length in runs)
    passed, changes, last = without_positions(gated(parts(text, [])))
    filled, same_changes, same_last = without_positions(gated([text.replace("_", ".")]))
    assert passed == {index: value for index, value in filled.items() if text[index] != "_"}
    assert (changes, last) == (same_changes, same_last)


@given(stretches)
def test_the_clock_never_runs_back_nor_stands_before_audio_that_was_sent(runs: list[tuple[str, int]]) -> None:
    text = "".join(letter * length for letter, length in runs)
    clock = 0
    for output in gated(parts(text, []), AudioGate(Letters(), replace(AUDIO_SETTINGS, position_samples=1), AUDIO)):
        if isinstance(output, Passed):
            assert output.pcm
            clock = max(clock, output.start + len(output.pcm) // 2)
        elif isinstance(output, Quiet):
            assert output.index >= clock
            clock = output.index
    assert clock == len(text)
