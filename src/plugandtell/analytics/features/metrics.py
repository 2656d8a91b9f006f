"""The figures of a call, each with its reason where it cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugandtell.analytics.features.loudness import Powers, Samples, loudness_lufs, step_powers
from plugandtell.analytics.features.talk import interruptions, length_ms, silences, talk_of, word_count
from plugandtell.core.audio import SPEECH
from plugandtell.core.call import AgentChannel
from plugandtell.core.findings import CallMetrics, Metric, PartyMetrics
from plugandtell.core.transcript import Party, Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE_CHANNEL: Final = "one channel: nobody can say who speaks"
_NO_TALK: Final = "nobody speaks"
_NO_TIME: Final = "the call has no length"
_OTHER_CHANNELS: Final = "the audio has other channels than the transcript"
_MIN_TALK_MS: Final = 3_000
"""Less talk than that says nothing about how fast somebody speaks."""


def call_metrics(transcript: Transcript, channels: Sequence[Samples], agent_channel: AgentChannel) -> CallMetrics:
    """The figures of a call of which the words and the audio at 16 kHz are known."""
    powers = [step_powers(channel, SPEECH.sample_rate) for channel in channels]
    talk = talk_of(transcript, transcript.parties)
    gaps = [gap.length_ms for gap in silences(talk, transcript.duration_ms)]
    has_time = transcript.duration_ms > 0
    return CallMetrics(
        silence_share=_share(sum(gaps), transcript.duration_ms, _NO_TIME),
        longest_silence_s=Metric(max(gaps, default=0) / 1000) if has_time else Metric(None, _NO_TIME),
        loudness_lufs=loudness_lufs(powers),
        parties=tuple(
            _party_metrics(transcript, party, _channel_of(party, transcript, powers, agent_channel))
            for party in transcript.parties
        ),
    )


def _party_metrics(transcript: Transcript, party: Party, powers: Powers | None) -> PartyMetrics:
    """The figures of one party, which is everybody where there is one channel."""
    is_known = len(transcript.parties) > 1
    talk_ms = length_ms(talk_of(transcript, (party,)))
    all_ms = sum(length_ms(talk_of(transcript, (other,))) for other in transcript.parties)
    unknown = Metric(None, ONE_CHANNEL)
    return PartyMetrics(
        party=party,
        talk_s=Metric(talk_ms / 1000),
        talk_share=_share(talk_ms, all_ms, _NO_TALK) if is_known else unknown,
        words_per_minute=_words_per_minute(transcript, party, talk_ms),
        interruptions=Metric(interruptions(transcript, party)) if is_known else unknown,
        loudness_lufs=Metric(None, _OTHER_CHANNELS) if powers is None else loudness_lufs([powers]),
    )


def _share(part_ms: int, whole_ms: int, reason: str) -> Metric:
    """A share of something, if there is something."""
    return Metric(round(part_ms / whole_ms, 3)) if whole_ms else Metric(None, reason)


def _words_per_minute(transcript: Transcript, party: Party, talk_ms: int) -> Metric:
    """How many words a party says in a minute of its talk."""
    if talk_ms < _MIN_TALK_MS:
        return Metric(None, f"less than {_MIN_TALK_MS // 1000} s of talk")
    words = sum(word_count(turn) for turn in transcript.turns if turn.party is party)
    return Metric(round(words * 60_000 / talk_ms, 1))


def _channel_of(
    party: Party, transcript: Transcript, powers: Sequence[Powers], agent_channel: AgentChannel
) -> Powers | None:
    """What is a party's of the channels; None where there are other channels than parties."""
    if len(powers) != len(transcript.parties):
        return None
    is_second = (party is Party.AGENT) == (agent_channel is AgentChannel.SECOND)
    return powers[int(len(powers) > 1 and is_second)]
