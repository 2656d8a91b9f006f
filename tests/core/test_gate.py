"""The gate, read as letters, each a frame of one sample: `.` unvoiced, `#` voice, `+` half as sure, `-` no evidence."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plugandtell.core.audio import AudioFormat
from plugandtell.core.gate import (
    AudioGate,
    Decision,
    Gate,
    GateSettings,
    GateState,
    Output,
    Passed,
    Quiet,
    Send,
    StateChanged,
)

SETTINGS = GateSettings(
    frame_samples=1,
    pre_roll_samples=3,
    hangover_samples=2,
    hold_samples=10,
    position_samples=4,
    start_voiced=2,
    start_window=3,
    start_gap_samples=3,
    start_reach_samples=40,
    keep_voiced=1,
    keep_window=2,
)
EVIDENCE = {".": None, "-": 0.0, "+": 0.5, "#": 1.0}
flags = st.text(alphabet=".-+#", max_size=80)


def decide(frames: str, settings: GateSettings = SETTINGS) -> list[Decision]:
    gate = Gate(settings)
    return [*itertools.chain.from_iterable(gate.feed(EVIDENCE[frame]) for frame in frames), *gate.flush()]


def sent(frames: str, settings: GateSettings = SETTINGS) -> str:
    """The input with everything that was not sent replaced by spaces."""
    shown = [" "] * len(frames)
    for decision in decide(frames, settings):
        if isinstance(decision, Send):
            shown[decision.start : decision.end] = frames[decision.start : decision.end]
    return "".join(shown)


def slices(frames: str) -> list[tuple[int, int]]:
    """Contiguous stretches that were sent."""
    merged: list[tuple[int, int]] = []
    for decision in decide(frames):
        if isinstance(decision, Send) and merged and merged[-1][1] == decision.start:
            merged[-1] = (merged[-1][0], decision.end)
        elif isinstance(decision, Send):
            merged.append((decision.start, decision.end))
    return merged


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("..........", "          "),
        (".....#....", "          "),  # one voiced frame is noise
        ("#....#....#....", "               "),  # nor are several, far apart
        (".....##...", "  ...##.. "),  # pre-roll before, hangover after
        ("##........", "##..      "),  # no pre-roll before the beginning of time
        (".....#.#...", "  ...#.#.. "),  # two of three open it
        (".....##..##...", "  ...##..##.. "),  # a pause shorter than the hangover
        (".....##.....##...", "  ...##.....##.. "),  # a held pause is sent as it was heard
        (".....++#+...", "  ...++#+.. "),  # what is half as sure counts half
        (".....++++...", "            "),
        (".....------.", "            "),  # what is no evidence proves nothing, however long
        (".....-..-#+#..", "  ...-..-#+#.."),  # but is sent with what it leads to
        (".....#....##..", "       ...##.."),  # what lies before a longer gap is no part of it
    ],
)
def test_sends_what_was_said_with_its_surroundings(heard: str, expected: str) -> None:
    assert sent(heard) == expected


def test_voice_that_was_sent_opens_the_gate_no_second_time() -> None:
    assert sent("..##....", replace(SETTINGS, hangover_samples=0, pre_roll_samples=0, start_window=3)) == "  ##    "


@pytest.mark.parametrize(("pause", "recordings"), [(9, 1), (10, 2)])
def test_a_pause_is_kept_below_the_hold_and_parts_two_recordings_from_it_on(pause: int, recordings: int) -> None:
    assert len(slices(".....##" + "." * pause + "##.....")) == recordings


def test_a_dropped_pause_leaves_the_hangover_before_and_the_pre_roll_after() -> None:
    assert slices("##" + "." * 20 + "##....") == [(0, 4), (19, 26)]


def test_the_clock_stands_still_at_a_suspected_onset() -> None:
    """The onset at 9 below the hold is confirmed after it: the server must not have been told that silence went on."""
    settings = replace(SETTINGS, position_samples=1)
    told = [item for item in decide("##" + "." * 9 + "#.#", settings) if isinstance(item, Quiet)]
    assert max(quiet.index for quiet in told[:-1]) == 11
    assert slices("##" + "." * 9 + "#.#....") == [(0, 16)]


def test_positions_come_in_audio_time_and_say_how_far_voice_went() -> None:
    told = [item for item in decide("##" + "." * 12) if isinstance(item, Quiet)]
    assert told == [Quiet(5, 2), Quiet(6, 2), Quiet(10, 2), Quiet(12, 2), Quiet(14, 2)]


def test_the_end_of_a_held_pause_is_told_at_once() -> None:
    told = decide("##" + "." * 10)
    assert Quiet(12, 2) in told
    assert StateChanged(GateState.LISTENING, 12) in told


def test_states_follow_the_voice() -> None:
    decided = decide("....##.....##" + "." * 20)
    assert [(item.state, item.index) for item in decided if isinstance(item, StateChanged)] == [
        (GateState.VOICE, 1),
        (GateState.PAUSE, 6),
        (GateState.VOICE, 8),
        (GateState.PAUSE, 13),
        (GateState.LISTENING, 23),
    ]


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("......#", "   ...#"),  # the only frame since the onset is voiced
        (".....#.", "       "),  # half are: less than two of three
        ("##......#", "##......#"),  # the same in a held pause
        ("##.......", "##..     "),
    ],
)
def test_an_onset_cut_short_by_the_end_counts_by_its_share(heard: str, expected: str) -> None:
    assert sent(heard) == expected


@given(flags)
def test_slices_are_in_order_and_never_overlap(heard: str) -> None:
    sends = [item for item in decide(heard) if isinstance(item, Send)]
    assert all(first.end <= second.start for first, second in itertools.pairwise(sends))
    assert all(0 <= item.start < item.end <= len(heard) for item in sends)


@given(flags)
def test_recordings_are_parted_by_a_pause_of_the_hold_and_by_nothing_else(heard: str) -> None:
    """A single voiced frame in the pause does not count: it may lie in what the hangover or the pre-roll covers."""
    for (_, end), (start, _) in itertools.pairwise(slices(heard)):
        onset = start + SETTINGS.pre_roll_samples
        assert heard[onset] != "."
        assert onset - (end - SETTINGS.hangover_samples) >= SETTINGS.hold_samples


@given(flags)
def test_voice_that_opens_the_gate_is_never_clipped(heard: str) -> None:
    for start in range(len(heard) - 1):
        if heard[start : start + 2] == "##":
            assert sent(heard)[start : start + 2] == "##"


@given(flags)
def test_the_clock_never_runs_back_nor_ahead_of_voice_that_is_sent_as_one(heard: str) -> None:
    told = [item.index for item in decide(heard) if isinstance(item, Quiet)]
    assert told == sorted(told)
    assert told[-1] == len(heard)
    for decision in decide(heard):
        if isinstance(decision, Quiet):
            assert decision.voiced_to <= decision.index


@given(flags)
def test_nothing_is_sent_from_before_what_had_to_be_kept(heard: str) -> None:
    gate = Gate(SETTINGS)
    kept_from = 0
    for frame in heard:
        assert all(item.start >= kept_from for item in gate.feed(EVIDENCE[frame]) if isinstance(item, Send))
        assert gate.keep_from >= kept_from
        kept_from = gate.keep_from
    assert all(item.start >= kept_from for item in gate.flush() if isinstance(item, Send))


@given(flags)
@example("###..#......")
def test_the_clock_never_stands_before_audio_that_was_sent(heard: str) -> None:
    """A server that took audio up to an index would not believe that silence began before it."""
    settings = replace(SETTINGS, position_samples=1, hangover_samples=4, keep_voiced=2)
    settings = replace(settings, start_voiced=3, start_window=6, start_gap_samples=6)
    sent_to = 0
    for decision in decide(heard, settings):
        if isinstance(decision, Send):
            sent_to = decision.end
        elif isinstance(decision, Quiet):
            assert decision.index >= sent_to


class Letters:
    """A detector that takes a byte for voiced where it is not zero."""

    frame_samples = 2

    def probability(self, frame: bytes) -> float:
        assert len(frame) == 2 * self.frame_samples
        return frame != bytes(len(frame))


AUDIO_SETTINGS = replace(
    SETTINGS, frame_samples=2, start_gap_samples=6, hold_samples=20, pre_roll_samples=6, hangover_samples=4
)


def gated(chunks: list[bytes]) -> list[Output]:
    gate = AudioGate(Letters(), AUDIO_SETTINGS, AudioFormat(16_000, 1))
    return [*itertools.chain.from_iterable(gate.feed(chunk) for chunk in chunks), *gate.flush()]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=20), st.data())
@example([(True, 12), (False, 12), (True, 1)], None)
def test_any_split_of_the_input_gives_the_same_output(runs: list[tuple[bool, int]], data: st.DataObject | None) -> None:
    samples = list(itertools.chain.from_iterable([int(voiced)] * length for voiced, length in runs))
    pcm = b"".join((index * 2 + 1 if voiced else 0).to_bytes(2, "little") for index, voiced in enumerate(samples))
    cuts = data.draw(st.lists(st.integers(0, len(samples)), max_size=8).map(sorted)) if data else []
    edges = [0, *cuts, len(samples)]
    whole = gated([pcm])
    assert gated([pcm[2 * first : 2 * last] for first, last in itertools.pairwise(edges)]) == whole
    for output in whole:
        if isinstance(output, Passed):
            assert output.pcm == pcm[2 * output.start : 2 * output.start + len(output.pcm)]


def test_what_is_shorter_than_a_frame_follows_the_frame_before_it() -> None:
    voice = bytes(range(1, 23))
    passed = [output.pcm for output in gated([voice]) if isinstance(output, Passed)]
    assert b"".join(passed) == voice


class Levels:
    """A detector that reads the probability, in hundredths, from the sample."""

    frame_samples = 1

    def probability(self, frame: bytes) -> float:
        return frame[0] / 100


def test_what_extends_voice_needs_less_than_what_proves_it() -> None:
    settings = replace(SETTINGS, voiced_from=0.1, evidence_from=0.5, evidence_full=0.9, hangover_samples=0)
    levels = [0, 9, 10, 49, 50, 90, 95, 10, 9, 0, 0]
    gate = AudioGate(Levels(), replace(settings, pre_roll_samples=0, keep_window=1))
    outputs = gate.feed(b"".join(bytes([level, 0]) for level in levels)) + gate.flush()
    passed = b"".join(output.pcm for output in outputs if isinstance(output, Passed))
    assert list(passed[::2]) == [10, 49, 50, 90, 95, 10]


@pytest.mark.parametrize(
    ("probability", "evidence"),
    [(0.0, None), (0.09, None), (0.1, 0.0), (0.5, 0.0), (0.9, 1.0), (1.0, 1.0)],
)
def test_evidence_is_between_nothing_and_a_whole_frame(probability: float, evidence: float | None) -> None:
    assert GateSettings(frame_samples=512).evidence(probability) == evidence


@pytest.mark.parametrize(
    ("heard", "opens"),
    [
        ([0.9] * 3, True),  # a tenth of a second of sure voice
        ([0.9] * 2, False),
        ([0.75] * 6, True),  # half as sure takes twice as long
        ([0.75] * 5, False),
        ([0.5] * 99, False),  # what is as likely as not never opens it
        ([0.9, 0.2, 0.2, 0.9, 0.2, 0.2, 0.2, 0.9], True),  # within a quarter of a second
        ([0.9, 0.2, 0.2, 0.9, 0.2, 0.2, 0.2, 0.2, 0.9], False),
    ],
)
def test_how_much_opens_the_gate_by_default(heard: list[float], opens: bool) -> None:
    settings = GateSettings(frame_samples=512)
    gate = Gate(settings)
    decisions = [decision for probability in heard for decision in gate.feed(settings.evidence(probability))]
    assert any(isinstance(decision, Send) for decision in decisions) == opens


def test_evidence_grows_with_the_log_odds() -> None:
    settings = GateSettings(frame_samples=512, evidence_from=0.5, evidence_full=0.9)
    assert settings.evidence(0.75) == pytest.approx(0.5)  # odds of 3, the root of 9
    webrtc = replace(settings, evidence_from=0.9)
    assert [webrtc.evidence(probability) for probability in (0.0, 0.89, 1.0)] == [None, 0.0, 1.0]


def test_memory_is_bounded_while_nothing_is_said() -> None:
    gate = AudioGate(Letters(), AUDIO_SETTINGS)
    for _ in range(1000):
        gate.feed(bytes(40))
    assert gate.kept_bytes <= 2 * (6 + 40 + 20)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"frame_samples": 0}, "frame_samples"),
        ({"start_voiced": 4}, "start_voiced"),
        ({"keep_voiced": 0}, "keep_voiced"),
        ({"pre_roll_samples": -1}, "pre_roll_samples"),
        ({"hold_samples": 1}, "hold_samples"),
        ({"voiced_from": 0.6}, "voiced_from"),
        ({"evidence_from": 0.96}, "evidence_from"),
        ({"evidence_full": 1.0}, "evidence_full"),
        ({"start_gap_samples": 2}, "start_gap_samples"),
        ({"start_reach_samples": 2}, "start_reach_samples"),
    ],
)
def test_settings_name_what_is_wrong(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        replace(SETTINGS, **change)


def test_a_detector_with_other_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="frame_samples"):
        AudioGate(Letters(), SETTINGS)
