"""How days and times are named in English, once number words are digits.

"may", "march", "sun" and "second" alone are words like any other: a month wants its day, its year or a preposition.
"""

from __future__ import annotations

from typing import Final

from plugandtell.analytics.features.date_words import NUMERIC, YEAR, Grammar, behind, compiled, one_of

_MONTH_NAMES = one_of(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
    ]
)
_MONTH = rf"(?P<month>{_MONTH_NAMES})\b\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:\s?st|\s?nd|\s?rd|\s?th)?"
_WEEKDAY_NAMES = "(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_LEADING_WEEKDAY = rf"(?:{_WEEKDAY_NAMES},?\s(?:the\s)?)?"
_AWAY = one_of(
    (
        "today", "tonight", "tomorrow", "yesterday", "last night", "day after tomorrow", "day before yesterday",
        "this morning", "this afternoon", "this evening",
    )
)  # fmt: skip
_PART = r"(?:,?\s(?:in\sthe\s)?(?P<part>morning|afternoon|evening|night)\b)?"
_UNIT = r"(?:business\s|working\s)?(?P<unit>minute|hour|day|week|month|year)s?\b"
_COUNT = r"(?P<count>\d+|an?)"
_NO_COUNT_FOLLOWS = r"(?!\s?(?:%|percent|dollars|euros|pounds|people|times|days|minutes|hours|items|of\s))"

_DAYS: Final = compiled(
    NUMERIC,
    rf"\b{_LEADING_WEEKDAY}{_DAY}(?:\sof)?\s{_MONTH}(?:,?\s(?:of\s)?{YEAR})?",
    rf"\b{_LEADING_WEEKDAY}{_MONTH}\s(?:the\s)?{_DAY}\b(?![:\d]|\s?[ap]\.?m\b){_NO_COUNT_FOLLOWS}(?:,?\s{YEAR})?",
    rf"\b{_MONTH}(?:\sof)?,?\s{YEAR}",
    behind(r"(?:last|next)\s", rf"{_MONTH}(?!\s\d)"),
    behind(r"(?:in|since|until|till|during|early|late|before|after|end\sof|mid)\s", rf"{_MONTH}(?![\w-]|\s\d)"),
    behind(r"(?:in|since)\s", rf"{YEAR}\b{_NO_COUNT_FOLLOWS}"),
    behind(
        r"(?:on|by|before|until|since)\sthe\s", r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)\b(?!\s(?:floor|time|attempt|line))"
    ),
    rf"\b{_WEEKDAY_NAMES},?\sthe\s(?P<day>[0-3]?\d)(?:st|nd|rd|th)\b",
    behind(r"(?:on|by|since|until)\s(?:the\s)?", r"(?P<numeric>\d{1,2}/\d{1,2})(?![\d/])"),
    rf"\b(?:the\s)?(?P<away>{_AWAY})\b{_PART}",
    rf"\b(?:(?P<step>next|last|this\scoming|this|coming)\s)?(?P<weekday>{_WEEKDAY_NAMES})\b{_PART}",
    r"\b(?:the\s)?(?P<step>next|last|this|past)\s(?P<whole>week|month|year|weekend)\b(?!\s(?:end|and\sa|or\sso))",
    rf"\b(?P<ahead>in)\s{_COUNT}\s{_UNIT}(?:\stime\b)?",
    rf"\b{_COUNT}\s{_UNIT}\s(?P<direction>ago|from\snow|later)\b",
)

_TIMES: Final = compiled(
    r"\b(?P<fraction>half|a\squarter|quarter)\s(?P<side>past|to)\s(?P<hour>\d{1,2})\b(?:\so'?\s?clock)?(?:\s?(?P<half>[ap])\.?\s?m\b)?",
    r"(?<![\d.,:/$€£-])(?P<hour>[01]?\d)(?:[:.\s](?P<minute>[0-5]\d|0\s\d))?\s?(?P<half>[ap])\.?\s?m\b",
    r"(?<![\d.,:/])(?P<hour>\d{1,2})\so'?\s?clock\b",
    r"(?<![\d.,:/])(?P<hour>[012]?\d):(?P<minute>[0-5]\d)\b(?!:)",
    behind(
        r"(?:at|around|about|by|until)\s", rf"(?P<hour>\d{{1,2}})\s(?P<minute>15|30|45)\b(?!\s?\d){_NO_COUNT_FOLLOWS}"
    ),
    behind(
        r"(?:at|around|about|by|until)\s", r"(?P<hour>\d{1,2})(?=\sin\sthe\s(?:morning|afternoon|evening)|\sat\snight)"
    ),
    r"(?<![\w-])(?P<name>noon|midday|midnight)\b",
)

ENGLISH: Final = Grammar(
    _DAYS,
    _TIMES,
    *compiled(
        rf"(?P<hour>\d{{1,2}})(?:\s(?P<minute>[0-5]\d|0\s\d))?\b(?!\s?[\d%$€£/:]|[.,]\d){_NO_COUNT_FOLLOWS}",
        r"\b(?:took|takes|lasted|waited|nearly|over|within)\s\Z",
        r"\s(?:in\sthe\s(?P<part>morning|afternoon|evening)|at\s(?P<night>night))\b",
        r",?\s(?:at|around|about|by|before|after|from)\s|,?\s|\sat\s(?:around|about)\s",
        r"\b(?:supposed\sto\s\w+|bought|came|went|was|were|since|had|did|sent|paid|been|got|spoke|began|made|told|said|born|took|"
        r"\w\w+(?<!ne)ed)\b",
        r"\b(?:will|is|are|due|going|can|could|would|should|by|until|arrives?|comes?|let's)\b|'(?:ll|d)\b",
    ),
)
"""English."""
