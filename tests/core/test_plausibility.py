from __future__ import annotations

import pytest

from plugandtell.core.plausibility import Claim, is_imagined, repeats_itself


def claim(
    text: str, sound_s: float = 1.0, confidence: float = 0.9, no_speech: float = 0.05, log_probability: float = -0.2
) -> Claim:
    return Claim(text, sound_s, confidence, no_speech, log_probability)


@pytest.mark.parametrize(
    "text",
    [
        "Sous-titrage ST' 501",
        "Sous-titrage Société Radio-Canada",
        "Sous-titres réalisés par la communauté d'Amara.org",
        "Thanks for watching!",
        "Merci d'avoir regardé cette vidéo !",
        "Untertitel der Amara.org-Community",
        "Please subscribe to my channel",
        "...",
        " ♪ ",
    ],
)
def test_credits_and_mere_signs_are_imagined_however_sure(text: str) -> None:
    assert is_imagined(claim(text))


@pytest.mark.parametrize("text", ["You", "Thank you.", "Thank you very much.", "Merci.", "Bye-bye."])
def test_what_is_written_on_noise_is_believed_of_who_says_it_plainly(text: str) -> None:
    assert not is_imagined(claim(text))
    assert is_imagined(claim(text, confidence=0.3))
    assert is_imagined(claim(text, no_speech=0.5))
    assert is_imagined(claim(text, sound_s=12.0))


def test_no_speech_that_is_no_likely_text_either_is_imagined() -> None:
    assert is_imagined(claim("The cat sat on the mat.", no_speech=0.7, log_probability=-1.2))
    assert not is_imagined(claim("The cat sat on the mat.", no_speech=0.7))
    assert not is_imagined(claim("The cat sat on the mat.", log_probability=-1.2))


@pytest.mark.parametrize(
    "text",
    [
        "I cannot read the subtitles on my screen.",
        "Les sous-titres ne marchent plus sur ma télévision.",
        "You can find it on www.example.com",
        "Thank you, that was all I wanted to know.",
    ],
)
def test_callers_may_speak_of_subtitles_and_sites(text: str) -> None:
    assert not is_imagined(claim(text))


@pytest.mark.parametrize(
    "text",
    [
        "and then " * 30,
        "I am going to the store. " * 6,
        "la la la la la la la",
        "Non, non, non, non, non, non.",
        "je ne sais pas je ne sais pas je ne sais pas je ne sais pas je ne sais pas",
    ],
)
def test_loops_are_found(text: str) -> None:
    assert repeats_itself(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No, no, no, no, I said Tuesday.",
        "The number is 5 5 5 5 5 5 5 0 1 2.",
        "Thank you for calling. How can I help you? I will look at your order at once, if you tell me its number.",
        "Press 1 for sales, press 2 for support, press 3 for billing, press 4 for anything else.",
    ],
)
def test_people_may_repeat_themselves(text: str) -> None:
    assert not repeats_itself(text)
