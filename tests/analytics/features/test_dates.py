from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugandtell.analytics.features.dates import find_dates
from plugandtell.analytics.features.reading import read

TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)


def dates(text: str, language: str, started_at: datetime | None = TUESDAY) -> list[str]:
    """The values of what is found."""
    return [found.value for found in find_dates(read(text, language).text, language, started_at)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("next Tuesday at three", "2026-12-01T15:00"),
        ("tomorrow morning", "2026-11-25TMO"),
        ("tomorrow at nine in the morning", "2026-11-25T09:00"),
        ("at 3 pm tomorrow", "2026-11-25T15:00"),
        ("tonight", "2026-11-24TEV"),
        ("last night", "2026-11-23TEV"),
        ("the day after tomorrow", "2026-11-26"),
        ("March 3rd", "2027-03-03"),
        ("the third of March", "2027-03-03"),
        ("We signed on March 3rd", "2026-03-03"),
        ("It was supposed to arrive on November 3rd", "2026-11-03"),
        ("The bill of November 3rd", "2026-11-03"),
        ("It will arrive on November 3rd", "2027-11-03"),
        ("Monday, the 30th of November", "2026-11-30"),
        ("May twenty-first, nineteen eighty-four", "1984-05-21"),
        ("June 2028", "2028-06"),
        ("in September", "2027-09"),
        ("I moved in September", "2026-09"),
        ("since 2019", "2019"),
        ("on the 15th", "2026-12-15"),
        ("we came on the 15th", "2026-11-15"),
        ("Friday the 27th at noon", "2026-11-27T12:00"),
        ("12/25/2026", "2026-12-25"),
        ("25/12/2026", "2026-12-25"),
        ("2026-12-25", "2026-12-25"),
        ("on Monday", "2026-11-30"),
        ("I called on Monday", "2026-11-23"),
        ("last Friday", "2026-11-20"),
        ("in two weeks", "2026-12-08"),
        ("three days ago", "2026-11-21"),
        ("in an hour", "2026-11-24T11:00"),
        ("next week", "2026-W49"),
        ("last month", "2026-10"),
        ("next year", "2027"),
        ("this weekend", "2026-W48-WE"),
        ("half past three", "T15:30"),
        ("quarter to nine", "T08:45"),
        ("8:15 am", "T08:15"),
        ("twelve pm", "T12:00"),
        ("ten thirty a.m.", "T10:30"),
        ("one o'clock", "T13:00"),
        ("14:30", "T14:30"),
        ("noon", "T12:00"),
    ],
)
def test_english(text: str, value: str) -> None:
    assert dates(text, "en") == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mardi prochain à 15 h 30", "2026-12-01T15:30"),
        ("demain matin", "2026-11-25TMO"),
        ("demain à neuf heures", "2026-11-25T09:00"),
        ("après-demain", "2026-11-26"),
        ("avant-hier", "2026-11-22"),
        ("hier soir", "2026-11-23TEV"),
        ("cet après-midi", "2026-11-24TAF"),
        ("le 3 mars", "2027-03-03"),
        ("j'ai signé le 3 mars", "2026-03-03"),
        ("elle devait arriver le 5 novembre", "2026-11-05"),
        ("vendredi 27 novembre", "2026-11-27"),
        ("le premier mai", "2027-05-01"),
        ("douze juin mille neuf cent soixante-quinze", "1975-06-12"),
        ("en août", "2027-08"),
        ("mars 2027", "2027-03"),
        ("depuis 2019", "2019"),
        ("15/12/2026", "2026-12-15"),
        ("lundi dernier", "2026-11-23"),
        ("jeudi après-midi", "2026-11-26TAF"),
        ("dans quinze jours", "2026-12-09"),
        ("il y a une semaine", "2026-11-17"),
        ("dans deux heures", "2026-11-24T12:00"),
        ("la semaine prochaine", "2026-W49"),
        ("le mois dernier", "2026-10"),
        ("l'année prochaine", "2027"),
        ("à dix-huit heures", "T18:00"),
        ("à trois heures et demie", "T15:30"),
        ("neuf heures moins le quart", "T08:45"),
        ("huit heures du matin", "T08:00"),
        ("19h30", "T19:30"),
        ("à midi", "T12:00"),
    ],
)
def test_french(text: str, value: str) -> None:
    assert dates(text, "fr") == [value]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We may go, I said, we wed in the sun, in a sec, march on.", "en"),
        ("for two weeks and three days", "en"),
        ("it took 45 minutes", "en"),
        ("one of the second ones", "en"),
        ("in 2000 people", "en"),
        ("version 10.4 on page 3", "en"),
        ("at 25 o'clock on February 31st", "en"),
        ("je ma mai mars sec si", "fr"),
        ("j'ai attendu deux heures", "fr"),
        ("à deux heures de Paris", "fr"),
        ("deux ans de garantie", "fr"),
        ("24 h sur 24", "fr"),
        ("ça a duré 2 heures 30", "fr"),
        ("le 31 février à 31 heures", "fr"),
        ("morgen um drei", "de"),
    ],
)
def test_what_names_no_day_is_none(text: str, language: str) -> None:
    assert dates(text, language) == []


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("Next Tuesday at three", "en", "next tuesday at 3"),
        ("Dans deux semaines", "fr", "dans 2 semaines"),
        ("March 3rd", "en", "--03-03"),
        ("March 3rd at noon", "en", "--03-03T12:00"),
        ("on 2/29", "en", "--02-29"),
        ("le 12/03", "fr", "--03-12"),
        ("February 29th", "en", "--02-29"),
        ("in March", "en", "--03"),
        ("3 mars 2027", "fr", "2027-03-03"),
        ("à midi", "fr", "T12:00"),
    ],
)
def test_without_the_time_of_the_call_a_date_says_what_it_can(text: str, language: str, value: str) -> None:
    assert dates(text, language, None) == [value]
