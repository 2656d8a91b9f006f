"""The segmenter, read as letters: each letter is a sample that came, `_` one that the segmenter calls a gap."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.audio import AudioFormat
from plugandtell.core.protocol.messages import EndReason, Position
from plugandtell.core.segmenter import Ended, Event, Gap, Segmenter, SegmenterSettings, Started, Write

SETTINGS = SegmenterSettings(silence_samples=10, max_samples=30)
AUDIO = AudioFormat()
SILENCE, MAX, END = EndReason.SILENCE, EndReason.MAX_DURATION, EndReason.END


@dataclass(frozen=True)
class Segment:
    start: int
    text: str
    reason: EndReason
    voiced: int
    duplicate: int = 0
    dropped: int = 0


Heard = tuple[int, str]


def pcm(letters: str) -> bytes:
    return letters.encode("utf-16-le")


def events(segmenter: Segmenter, *inputs: Heard | Position) -> list[Event]:
    found: list[Event] = []
    for item in inputs:
        if isinstance(item, Position):
            found += segmenter.advance(item.index, item.voiced_to)
        else:
            found += segmenter.feed(item[0], pcm(item[1]))
    return found


def segments(found: list[Event]) -> list[Segment]:
    """The segments that events tell of. Checks that they tell it in order, and that the samples add up."""
    done: list[Segment] = []
    start: int | None = None
    text = ""
    for event in found:
        match event:
            case Started():
                assert start is None
                start, text = event.start_index, ""
            case Write(pcm=data):
                assert start is not None
                text += bytes(data).decode("utf-16-le")
            case Gap():
                assert start is not None
                assert event.start_index == start + len(text)
                text += "_" * event.samples
            case Ended():
                assert event.start_index == start
                assert event.end_index == start + len(text)
                done.append(
                    Segment(
                        start,
                        text,
                        event.reason,
                        event.voiced_samples,
                        event.duplicate_samples,
                        event.dropped_samples,
                    )
                )
                start = None
    assert start is None, "a segment was left open"
    return done


def cut(*inputs: Heard | Position, settings: SegmenterSettings = SETTINGS, stored_to: int = 0) -> list[Segment]:
    segmenter = Segmenter(settings, AUDIO, stored_to)
    return segments([*events(segmenter, *inputs), *segmenter.close(END)])


def test_a_segment_starts_with_the_first_audio_wherever_it_stands() -> None:
    assert cut((1000, "abc")) == [Segment(1000, "abc", END, 3)]


def test_nothing_heard_is_no_segment() -> None:
    assert cut() == []
    assert cut((5, ""), Position(100), Position(200, 3)) == []


def test_a_gap_below_the_silence_is_part_of_the_segment() -> None:
    assert cut((0, "abc"), (12, "de")) == [Segment(0, "abc_________de", END, 5)]


def test_a_gap_of_the_silence_parts_two_segments() -> None:
    assert cut((0, "abc"), (13, "de")) == [Segment(0, "abc", SILENCE, 3), Segment(13, "de", END, 2)]


@pytest.mark.parametrize(("index", "reason"), [(12, END), (13, SILENCE)])
def test_a_position_ends_the_segment_at_the_silence_and_not_a_sample_before(index: int, reason: EndReason) -> None:
    assert cut((0, "abc"), Position(index)) == [Segment(0, "abc", reason, 3)]


def test_silence_counts_from_the_last_voiced_sample_not_from_the_hangover_after_it() -> None:
    assert cut((0, "abcd"), Position(5, 2), (12, "e"))[0] == Segment(0, "abcd", SILENCE, 2)
    assert cut((0, "abcd"), Position(5, 2), (11, "e")) == [Segment(0, "abcd_______e", END, 3)]


def test_positions_step_through_a_silence_of_any_length() -> None:
    told = [Position(index, 2) for index in range(4, 400, 4)]
    assert cut((0, "abc"), *told) == [Segment(0, "abc", SILENCE, 2)]


def test_a_held_pause_that_is_sent_after_all_is_not_voiced() -> None:
    """`ab` is voice, `c` hangover; at 8 the clock stood in silence; then voice returns and the pause is sent."""
    assert cut((0, "abc"), Position(8, 2), (3, "defghXY")) == [Segment(0, "abcdefghXY", END, 4)]


def test_a_held_pause_counts_the_same_whatever_messages_it_comes_in() -> None:
    whole = cut((0, "abc"), Position(8, 2), (3, "defghXYz"), Position(15, 10))
    assert cut((0, "abc"), Position(8, 2), (3, "de"), (5, "fgh"), (8, "X"), (9, "Yz"), Position(15, 10)) == whole
    assert whole == [Segment(0, "abcdefghXYz", END, 4)]


def test_voice_before_a_gap_stays_voiced_when_a_position_takes_back_what_came_after_it() -> None:
    assert cut((0, "ab"), (6, "cd"), Position(9, 5)) == [Segment(0, "ab____cd", END, 2)]


def test_a_position_may_take_back_all_that_came_since_the_one_before_it() -> None:
    assert cut((0, "abcd"), Position(5, 0)) == [Segment(0, "abcd", END, 0)]
    assert cut((0, "abcd"), Position(5, 2), (5, "fgh"), Position(9, 5)) == [Segment(0, "abcd_fgh", END, 2)]


def test_a_position_between_two_segments_takes_nothing_from_the_next() -> None:
    segmenter = Segmenter(SETTINGS, AUDIO)
    found = events(segmenter, (0, "abcd"))
    found += segmenter.close(EndReason.DISCONNECT)
    found += events(segmenter, Position(5, 2), (20, "efg"))
    found += segmenter.close(END)
    assert segments(found) == [Segment(0, "abcd", EndReason.DISCONNECT, 4), Segment(20, "efg", END, 3)]


def test_a_position_that_a_resend_brings_late_takes_back_nothing() -> None:
    assert cut((0, "abcd"), Position(4, 1), (4, "efgh"), Position(4, 1), Position(6, 5)) == [
        Segment(0, "abcdefgh", END, 5)
    ]


def test_overlap_is_trimmed_and_counted() -> None:
    assert cut((0, "abcd"), (2, "cdef")) == [Segment(0, "abcdef", END, 6, duplicate=2)]
    assert cut((0, "abcd"), (1, "bc")) == [Segment(0, "abcd", END, 4, duplicate=2)]


def test_what_lies_before_the_segment_is_dropped_and_counted_apart() -> None:
    inputs: tuple[Heard | Position, ...] = ((0, "abcd"), Position(20), (2, "cd"), (20, "e"), (1, "bcd"), (18, "__ef"))
    assert cut(*inputs) == [
        Segment(0, "abcd", SILENCE, 4),
        Segment(20, "ef", END, 2, duplicate=1, dropped=2 + 3 + 2),
    ]


def test_a_stream_that_is_known_already_goes_on_where_it_was_stored() -> None:
    assert cut((0, "abcdef"), stored_to=4) == [Segment(4, "ef", END, 2, dropped=4)]
    assert cut((0, "abcd"), stored_to=4) == []
    assert cut((9, "a"), stored_to=4) == [Segment(9, "a", END, 1)]


def test_the_longest_segment_is_full_and_the_next_follows_without_a_hole() -> None:
    letters = "".join(map(chr, range(0x100, 0x100 + 100)))
    expected = [
        Segment(7, letters[:30], MAX, 30),
        Segment(37, letters[30:60], MAX, 30),
        Segment(67, letters[60:90], MAX, 30),
        Segment(97, letters[90:], END, 10),
    ]
    assert cut((7, letters)) == expected
    assert cut(*((7 + index, letter) for index, letter in enumerate(letters))) == expected


def test_a_full_segment_waits_for_what_comes_next_to_say_why_it_ended() -> None:
    letters = "a" * 30
    assert cut((0, letters)) == [Segment(0, letters, END, 30)]
    assert cut((0, letters), Position(40)) == [Segment(0, letters, SILENCE, 30)]
    assert cut((0, letters), (30, "b"))[0] == Segment(0, letters, MAX, 30)


def test_a_gap_across_the_longest_duration_belongs_to_no_segment() -> None:
    assert cut((0, "a" * 28), (31, "b")) == [Segment(0, "a" * 28, MAX, 28), Segment(31, "b", END, 1)]
    assert cut((0, "a" * 28), (29, "bc")) == [Segment(0, "a" * 28 + "_b", MAX, 29), Segment(30, "c", END, 1)]


def test_closing_twice_ends_once() -> None:
    segmenter = Segmenter(SETTINGS, AUDIO)
    segmenter.feed(0, pcm("a"))
    assert len(segmenter.close(END)) == 1
    assert segmenter.close(END) == []


def test_the_growing_silence_can_be_told() -> None:
    segmenter = Segmenter(SETTINGS, AUDIO)
    segmenter.feed(0, pcm("abcd"))
    assert segmenter.voiced_to == 4
    segmenter.advance(6, 3)
    assert segmenter.voiced_to == 3


def test_samples_of_several_channels_stay_whole() -> None:
    segmenter = Segmenter(SegmenterSettings(10, 2), AudioFormat(16_000, 3))
    found = segmenter.feed(0, bytes(range(30)))
    writes = [bytes(event.pcm) for event in found if isinstance(event, Write)]
    assert writes == [bytes(range(12)), bytes(range(12, 24)), bytes(range(24, 30))]


def test_a_segment_of_holes_goes_on_in_the_next_without_losing_a_sample() -> None:
    holes: list[Heard] = [(2 * place, "abcdefgh"[place]) for place in range(8)]
    assert cut(*holes, settings=replace(SETTINGS, max_gaps=3)) == [
        Segment(0, "a_b_c_d", MAX, 4),
        Segment(8, "e_f_g_h", END, 4),
    ]
    assert cut(*holes[:4], (7, "e"), settings=replace(SETTINGS, max_gaps=3)) == [Segment(0, "a_b_c_de", END, 5)]


def test_what_positions_have_settled_is_not_kept_in_a_list() -> None:
    segmenter = Segmenter(SegmenterSettings(10, 10_000), AUDIO)
    for start in range(0, 3000, 3):
        segmenter.feed(start, pcm("abc"))
        segmenter.advance(start + 3, start + 2)
        assert len(segmenter._voiced) == 0
    (ended,) = segmenter.close(END)
    assert isinstance(ended, Ended)
    assert ended.voiced_samples == 2000


@pytest.mark.parametrize("name", ["silence_samples", "max_samples", "max_gaps"])
def test_settings_name_what_is_wrong(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0,"):
        replace(SETTINGS, **{name: 0})


# Laws. A `speech` is stretches of audio with the gap before each, and a position after some of them.


@dataclass(frozen=True)
class Stretch:
    gap: int
    length: int
    hangover: int | None

    def __repr__(self) -> str:
        return f"Stretch({self.gap}, {self.length}, {self.hangover})"


speeches = st.lists(
    st.builds(Stretch, st.integers(0, 14), st.integers(1, 50), st.none() | st.integers(0, 6)), min_size=1, max_size=8
)


def spoken(speech: list[Stretch]) -> list[Heard | Position]:
    inputs: list[Heard | Position] = []
    index = 0
    for stretch in speech:
        start = index + stretch.gap
        index = start + stretch.length
        inputs.append((start, "".join(chr(0x100 + place) for place in range(start, index))))
        if stretch.hangover is not None:
            inputs.append(Position(index, max(start, index - stretch.hangover)))
    return inputs


@given(speeches, st.data())
def test_any_split_into_messages_gives_the_same_segments(speech: list[Stretch], data: st.DataObject) -> None:
    inputs = spoken(speech)
    pieces: list[Heard | Position] = []
    for item in inputs:
        if isinstance(item, Position):
            pieces.append(item)
            continue
        start, letters = item
        edges = sorted(data.draw(st.sets(st.integers(0, len(letters)), max_size=6)) | {0, len(letters)})
        pieces += [(start + first, letters[first:last]) for first, last in itertools.pairwise(edges)]
    assert cut(*pieces) == cut(*inputs)


@given(speeches, st.data())
def test_what_is_sent_again_changes_the_counters_alone(speech: list[Stretch], data: st.DataObject) -> None:
    inputs = spoken(speech)
    again = list(inputs)
    for _ in range(data.draw(st.integers(1, 4))):
        last = data.draw(st.integers(1, len(again)))
        first = data.draw(st.integers(0, last - 1))
        again[last:last] = again[first:last]
    plain = [replace(segment, duplicate=0, dropped=0) for segment in cut(*again)]
    assert plain == cut(*inputs)


@given(speeches, st.data())
def test_a_position_told_again_changes_nothing(speech: list[Stretch], data: st.DataObject) -> None:
    inputs = spoken(speech)
    told = [place for place, item in enumerate(inputs) if isinstance(item, Position)]
    again = list(inputs)
    for place in reversed(told):
        again[place:place] = [inputs[place]] * data.draw(st.integers(0, 2))
    assert cut(*again) == cut(*inputs)


@given(speeches)
def test_every_sample_is_written_once_and_in_order(speech: list[Stretch]) -> None:
    inputs = spoken(speech)
    heard = {
        item[0] + place: letter
        for item in inputs
        if not isinstance(item, Position)
        for place, letter in enumerate(item[1])
    }
    written = {
        segment.start + place: letter
        for segment in cut(*inputs)
        for place, letter in enumerate(segment.text)
        if letter != "_"
    }
    assert written == heard
    assert list(written) == sorted(written)


anything = st.lists(
    st.tuples(st.integers(0, 80), st.text("abc", max_size=50))
    | st.builds(Position, st.integers(0, 120), st.none() | st.integers(0, 80)),
    max_size=12,
)


@given(anything, st.integers(0, 60))
def test_whatever_comes_the_numbers_add_up(inputs: list[Heard | Position], stored_to: int) -> None:
    found = cut(*inputs, stored_to=stored_to)
    for segment in found:
        assert 0 <= segment.voiced <= len(segment.text.replace("_", ""))
        assert 1 <= len(segment.text) <= SETTINGS.max_samples
        assert segment.start >= stored_to
    for first, second in itertools.pairwise(found):
        assert first.start + len(first.text) <= second.start


@given(anything)
def test_voiced_is_what_came_as_audio_and_no_position_took_back(inputs: list[Heard | Position]) -> None:
    """The same rule on a set of samples, for one segment that nothing ends."""
    voiced: set[int] = set()
    stored_to = quiet_to = 0
    for item in inputs:
        if isinstance(item, Position):
            if item.voiced_to is not None and quiet_to <= item.voiced_to < stored_to <= item.index:
                voiced = {place for place in voiced if place < item.voiced_to}
            quiet_to = max(quiet_to, item.index)
        else:
            start, letters = item
            voiced |= set(range(max(start, stored_to, quiet_to), start + len(letters)))
            stored_to = max(stored_to, start + len(letters)) if letters else stored_to
    found = cut(*inputs, settings=SegmenterSettings(1000, 1000))
    assert sum(segment.voiced for segment in found) == len(voiced)
