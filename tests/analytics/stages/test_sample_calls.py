"""The two calls of assets/, from the file to the turns: what a newcomer sees first."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugandtell.analytics.service import CallInput
from plugandtell.analytics.settings import EngineSettings
from plugandtell.analytics.stages.transcription import Transcription
from plugandtell.core.plausibility import words_of
from plugandtell.core.transcript import Party, Transcript

ASSETS = Path(__file__).parents[3] / "assets"


def spoken(name: str) -> list[tuple[Party, float]]:
    """Who speaks, and from when on, as the call was made."""
    lines = (ASSETS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [(Party(line.split()[1].rstrip(":")), float(line.split()[0])) for line in lines]


@pytest.mark.parametrize(
    ("name", "language", "numbers", "phrases"),
    [
        ("call-en", "en", ("47291", "5550142", "8950"), ("november 3rd", "third time i have called", "full refund")),
        ("call-fr", "fr", ("83217", "39981234", "149"), ("5 novembre", "la troisième fois", "remboursement complet")),
    ],
)
def test_a_sample_call_is_understood(
    name: str, language: str, numbers: tuple[str, ...], phrases: tuple[str, ...], data_dir: Path
) -> None:
    service = Transcription(EngineSettings(threads=2), data_dir)
    transcript = service.process(CallInput(name, (ASSETS / f"{name}.flac").as_uri()))
    assert (transcript.language, transcript.parties) == (language, (Party.AGENT, Party.CALLER))
    digits = "".join(sign for sign in transcript.text if sign.isdigit())
    assert [number for number in numbers if number not in digits] == []
    said = " ".join(words_of(transcript.text))
    assert [phrase for phrase in phrases if phrase not in said] == []
    for party, start_s in spoken(name):
        assert begins_at(transcript, party, start_s), f"{party} at {start_s}"


def begins_at(transcript: Transcript, party: Party, start_s: float) -> bool:
    """Whether a turn of the party begins there, within a third of a second."""
    return any(turn.party is party and abs(turn.span.start_ms / 1000 - start_s) < 0.3 for turn in transcript.turns)
