"""The two calls of assets/, from the file to the turns: what a newcomer sees first."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugandtell.analytics.service import CallInput
from plugandtell.analytics.settings import EngineSettings
from plugandtell.analytics.stages.transcription import Transcription
from plugandtell.core.transcript import Party, Transcript

ASSETS = Path(__file__).parents[3] / "assets"


def spoken(name: str) -> list[tuple[Party, float]]:
    """Who speaks, and from when on, as the call was made."""
    lines = (ASSETS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [(Party(line.split()[1].rstrip(":")), float(line.split()[0])) for line in lines]


@pytest.mark.parametrize(
    ("name", "language", "phrases"),
    [
        ("call-en", "en", ("47291", "November 3rd", "$89.50", "third time I have called", "full refund")),
        ("call-fr", "fr", ("8, 3, 2, 1, 7", "5 novembre", "149 euros", "la troisième fois", "remboursement complet")),
    ],
)
def test_a_sample_call_is_understood(name: str, language: str, phrases: tuple[str, ...], data_dir: Path) -> None:
    service = Transcription(EngineSettings(threads=2), data_dir)
    transcript = service.process(CallInput(name, (ASSETS / f"{name}.flac").as_uri()))
    assert (transcript.language, transcript.parties) == (language, (Party.AGENT, Party.CALLER))
    for phrase in phrases:
        assert phrase in transcript.text
    for party, start_s in spoken(name):
        assert begins_at(transcript, party, start_s), f"{party} at {start_s}"


def begins_at(transcript: Transcript, party: Party, start_s: float) -> bool:
    """Whether a turn of the party begins there, within a fifth of a second."""
    return any(turn.party is party and abs(turn.span.start_ms / 1000 - start_s) < 0.2 for turn in transcript.turns)
