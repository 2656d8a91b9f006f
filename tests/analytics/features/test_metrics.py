from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plugandtell.analytics.features.metrics import ONE_CHANNEL, call_metrics
from plugandtell.core.call import AgentChannel
from plugandtell.core.findings import Metric
from plugandtell.core.transcript import Transcript
from tests.analytics.features.conversation import AGENT, CALLER, SPEAKER, call, one, turn

if TYPE_CHECKING:
    from plugandtell.analytics.features.loudness import Samples

FIRST, SECOND = AgentChannel


def hum(seconds: float, level: float) -> Samples:
    """Something to hear."""
    return (level * np.sin(np.arange(round(16_000 * seconds)) / 3)).astype(np.float32)


def test_two_parties_each_have_their_figures() -> None:
    said = call(turn(AGENT, 0, "w " * 10), turn(CALLER, 4000, "w " * 20), duration_ms=20_000)
    metrics = call_metrics(said, (hum(20, 0.1), hum(20, 0.01)), FIRST)
    agent, caller = metrics.parties
    assert (agent.party, caller.party) == (AGENT, CALLER)
    assert (agent.talk_s.value, caller.talk_s.value) == (2.95, 5.95)
    assert (agent.talk_share.value, caller.talk_share.value) == (0.331, 0.669)
    assert (agent.words_per_minute.reason, caller.words_per_minute.value) == ("less than 3 s of talk", 201.7)
    assert (agent.interruptions.value, caller.interruptions.value) == (0, 0)
    assert metrics.silence_share == Metric(0.555)
    assert metrics.longest_silence_s == Metric(10.05)
    assert agent.loudness_lufs.value is not None
    assert caller.loudness_lufs.value is not None
    assert round(agent.loudness_lufs.value - caller.loudness_lufs.value) == 20
    assert call_metrics(said, (hum(20, 0.01), hum(20, 0.1)), SECOND).parties == metrics.parties


def test_with_one_channel_nobody_can_say_who_speaks() -> None:
    (party,) = call_metrics(one("w " * 20), (hum(6, 0.1),), FIRST).parties
    assert party.party is SPEAKER
    assert party.talk_share == party.interruptions == Metric(None, ONE_CHANNEL)
    assert (party.talk_s.value, party.words_per_minute.value) == (5.95, 201.7)
    assert party.loudness_lufs.value is not None


def test_where_nobody_speaks_there_is_only_silence() -> None:
    metrics = call_metrics(call(language=None, duration_ms=5000), (hum(5, 0), hum(5, 0)), FIRST)
    assert (metrics.silence_share, metrics.longest_silence_s) == (Metric(1.0), Metric(5.0))
    assert metrics.loudness_lufs == Metric(None, "silence")
    for party in metrics.parties:
        assert party.talk_s == Metric(0.0)
        assert party.talk_share == Metric(None, "nobody speaks")


def test_a_call_without_length_has_no_silence() -> None:
    empty = Transcript(0, (SPEAKER,), None, (), one("x").engine)
    metrics = call_metrics(empty, (hum(0, 0),), FIRST)
    assert metrics.silence_share == metrics.longest_silence_s == Metric(None, "the call has no length")


def test_other_channels_than_parties_are_nobodys() -> None:
    metrics = call_metrics(call(turn(AGENT, 0, "w")), (hum(5, 0.1),), FIRST)
    assert {party.loudness_lufs.reason for party in metrics.parties} == {
        "the audio has other channels than the transcript"
    }
