"""How days and times are named in French, once number words are digits.

"mars", "mai" and "midi" alone are words like any other, and "deux heures" is a length: a month wants its day, its year
or a preposition, an hour its minutes, its part of the day, a day before it or a preposition.
"""

from __future__ import annotations

from typing import Final

from plugandtell.analytics.features.date_words import NUMERIC, YEAR, Grammar, behind, compiled, one_of

_MONTH_NAMES = one_of(
    [
        "janvier",
        "février",
        "fevrier",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "aout",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
        "decembre",
    ]
)
_MONTH = rf"(?P<month>{_MONTH_NAMES})\b"
_WEEKDAY_NAMES = "(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)"
_AWAY = one_of(
    (
        "aujourd'hui", "demain", "hier", "après-demain", "après demain", "avant-hier", "avant hier",
        "ce matin", "cet après-midi", "cette après-midi", "ce soir", "cette nuit", "la nuit dernière",
    )
)  # fmt: skip
_PART = r"(?:,?\s(?:dans\sla\s|dans\sl'|en\s)?(?P<part>matinée|matin|après[-\s]midi|soirée|soir|nuit)\b)?"
_STEP = r"(?P<step>prochaine?|derni[eè]re?|passée?|qui\svient)\b"
_UNIT = r"(?P<unit>minute|heure|jour|semaine|mois|année|an)s?\b"
_HOUR = r"(?P<hour>[012]?\d)\s?(?:h|heures?)\b"
_NO_LENGTH = r"(?!\s?(?:de\s(?!l'après)|d'|\d|/))"

_DAYS: Final = compiled(
    NUMERIC,
    rf"\b(?:{_WEEKDAY_NAMES}\s(?:le\s)?)?(?P<day>[0-3]?\d)(?:\s?er|\s?ère)?\s{_MONTH}(?:\s{YEAR})?",
    rf"\b{_MONTH}\s{YEAR}",
    behind(r"(?:en|fin|mi|mi-|dès|début|depuis|mois\sde|mois\sd'|avant|après|courant)[\s-]?", rf"\b{_MONTH}(?!\s\d)"),
    rf"\b(?<!-){_MONTH}\s{_STEP}",
    behind(r"(?:en|depuis)\s", rf"{YEAR}\b(?!\s?%)"),
    behind(r"(?:le|du|au|avant|depuis)\s(?:le\s)?", r"(?P<numeric>\d{1,2}/\d{1,2})(?![\d/])"),
    rf"(?<![\w-])(?P<away>{_AWAY})(?![-\w]){_PART}",
    rf"\b(?P<weekday>{_WEEKDAY_NAMES})\b(?:\s{_STEP})?{_PART}",
    rf"\b(?:la\s|le\s|l')?(?P<whole>semaine|mois|année|an|week-end|weekend)\s{_STEP}",
    r"\b(?P<step>ce|cette)\s(?P<whole>semaine|mois|année|week-end|weekend)\b(?:-ci)?",
    rf"\b(?P<ahead>dans)\s(?P<count>\d+)\s{_UNIT}(?!\sde)",
    rf"\b(?:il\s)?y\s(?P<direction>a)\s(?P<count>\d+)\s{_UNIT}(?!\sde)",
)

_TIMES: Final = compiled(
    r"(?<![\d.,:/])(?P<hour>[012]?\d)\s?(?:h|heures?)\s?(?P<minute>[0-5]\d)\b(?!\s(?:fois|minutes?\sd))",
    r"(?<![\d.,:/])(?P<hour>[012]?\d)\s?(?:h|heures?)\s(?:et\s)?(?P<fraction>demie?|quart|moins\sle\squart)\b",
    rf"(?<![\d.,:/]){_HOUR}(?=\sdu\s(?:matin|soir)|\sde\sl'après)",
    behind(r"(?:à|vers|pour|avant|après|il\sest|partir\sde|jusqu'à|dès)\s", _HOUR + _NO_LENGTH),
    behind(r"de\s", _HOUR + r"(?=\sà\s\d)"),
    r"(?<![\d.,:/])(?P<hour>[012]?\d):(?P<minute>[0-5]\d)\b(?!:)",
    behind(
        r"(?:à|vers|pour|avant|après|il\sest|jusqu'à|dès)\s",
        r"(?P<name>midi|minuit)\b(?:\set\s(?P<fraction>demie?|quart)\b)?",
    ),
)

FRENCH: Final = Grammar(
    _DAYS,
    _TIMES,
    *compiled(
        rf"{_HOUR}{_NO_LENGTH}|(?P<name>midi|minuit)\b",
        r"\b(?:dur\w+|pendant|durant|attend\w*|perdu|pris|bout\sde|plus\sde|moins\sde|presque|environ)\s\Z",
        r"\s(?:du\s(?P<part>matin|soir)|de\sl'(?P<afternoon>après[-\s]midi))\b",
        r",?\s(?:à|vers|avant|après|dès|pour)\s|,?\s",
        r"\b(?:depuis|dev(?:ait|aient)\s\w+|étai[st]|avai[st]|née?|(?:ai|as|a|avons|avez|ont|suis|est|sommes|êtes|sont|été)\s(?:\w+\s)?"
        r"\w+(?:é|ée|és|ées|i|is|it|u|us|ue|ert|uit))\b",
        r"\b(?:\w+(?:rai|ras|ra|rons|rez|ront|rais|rait)|peut|peux|pouvez|avant|doit|prévue?|jusqu'au)\b",
    ),
)
"""French."""
