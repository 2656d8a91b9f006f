from __future__ import annotations

import json
from dataclasses import replace

from plugandtell.analytics.report import Report, as_json, as_text, clock
from plugandtell.core.call import CallState, Stage
from plugandtell.core.findings import Intent, IntentClass
from plugandtell.core.transcript import Party, Span, Transcript, Turn
from tests.analytics.samples import ENGINE, RESULTS, TRANSCRIPT, TURNS, failure

WHOLE = Report("7f", "call.flac", CallState.COMPLETE, RESULTS)

EXPECTED = """\
call.flac  (complete, 1:05, en, call 7f)

  wants  complaint (87% sure): double charge
         "I was charged twice." (0:02)
  feels  frustrated; negative (-0.60), by quarters: - . o -
  talk   agent 2 s, 20% of the talk, 150 words a minute, interruptions 0
         caller 8 s, 80% of the talk, 120 words a minute
         silence 25%, longest 3.5 s, loudness -23.0 LUFS
  about  order, charged twice
  named  0:04 order order 12345 (12345)

     0:00  agent   Good morning, how can I help you?
     0:02  caller  I was charged twice for order 12345, and nobody calls me
                   back."""


def test_a_report_says_what_matters_first_and_the_conversation_last() -> None:
    assert as_text(WHOLE, columns=80) == EXPECTED


def test_lines_are_as_wide_as_they_may_be() -> None:
    for columns in (50, 80, 120):
        assert max(map(len, as_text(WHOLE, columns).splitlines())) <= columns


def test_one_channel_has_no_parties() -> None:
    turns = tuple(replace(turn, party=Party.SPEAKER) for turn in TURNS)
    mono = replace(TRANSCRIPT, parties=(Party.SPEAKER,), turns=turns)
    text = as_text(replace(WHOLE, results={Stage.TRANSCRIPTION: mono}), 100)
    assert text.splitlines()[2] == "     0:00  Good morning, how can I help you?"
    assert "agent" not in text


def test_a_call_in_which_nobody_spoke_says_so() -> None:
    silent = Transcript(3_600_000, (Party.SPEAKER,), None, (), ENGINE)
    nothing = Intent(IntentClass.OTHER, 0.0, (), None, None, ENGINE)
    text = as_text(Report("7f", "a.wav", CallState.COMPLETE, {Stage.TRANSCRIPTION: silent, Stage.INTENT: nothing}), 80)
    assert text.splitlines() == ["a.wav  (complete, 1:00:00, nobody spoke, call 7f)", "", "  wants  other"]


def test_a_failed_call_says_where_and_why() -> None:
    text = as_text(Report("7f", "a.txt", CallState.FAILED, {}, [failure("7f")]), 80)
    assert text.splitlines()[2] == "  failed  in transcription, tried once: not audio"


def test_what_failed_and_worked_later_is_not_why_a_call_failed() -> None:
    of_sentiment = replace(failure("7f"), stage=Stage.SENTIMENT, message="no luck")
    later = replace(failure("7f"), stage=Stage.INTENT, message="a hiccup")
    results = dict(RESULTS)
    del results[Stage.SENTIMENT]
    assert Report("7f", "a.wav", CallState.FAILED, results, [of_sentiment, later]).failure == of_sentiment


def test_foreign_text_cannot_reach_the_terminal() -> None:
    turns = (Turn(Party.SPEAKER, Span(0, 1), "a\x1b[2Jb"),)
    report = Report("7f", "\x1b]0;x", CallState.RUNNING, {Stage.TRANSCRIPTION: replace(TRANSCRIPT, turns=turns)})
    assert "\x1b" not in as_text(report, 80)


def test_the_json_holds_everything_and_null_for_what_is_not_there() -> None:
    whole = json.loads(json.dumps(as_json(WHOLE)))
    assert whole["text"] == TRANSCRIPT.text
    assert whole["intent"]["intent"] == "complaint"
    assert whole["features"]["metrics"]["parties"][1]["interruptions"] == {"value": None, "reason": "one channel"}
    failed = json.loads(json.dumps(as_json(Report("7f", "a.txt", CallState.FAILED, {}, [failure("7f")]))))
    assert failed["transcription"] is failed["text"] is None
    assert failed["failures"][0]["at"] == "2026-11-24T12:00:00+00:00"


def test_times_are_written_as_on_a_clock() -> None:
    assert [clock(ms) for ms in (0, 65_999, 3_605_000)] == ["0:00", "1:05", "1:00:05"]
