"""The results, as they are written down."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from benchmarks.ingest.chart import bars
from benchmarks.ingest.results import replaced
from benchmarks.ingest.tables import per_round, spread, table

ORDER = ["First", "Second", "Third"]


def test_a_section_that_was_measured_replaces_only_the_one_of_its_title() -> None:
    before = replaced("", {"First": "old 1", "Third": "old 3\n\n| a |"}, ORDER)
    after = replaced(before, {"Second": "new 2", "First": "new 1"}, ORDER)
    assert after == replaced("", {"First": "new 1", "Second": "new 2", "Third": "old 3\n\n| a |"}, ORDER)
    assert after.index("new 1") < after.index("new 2") < after.index("old 3")
    assert replaced(after, {}, ORDER) == after


def test_a_spread_is_the_median_and_the_range() -> None:
    assert spread([3.0, 1.0, 9.0]) == "3.0 (1.0 to 9.0)"
    assert spread([3.0]) == "3.0"
    assert spread([]) == "-"


def test_ratios_are_taken_within_a_round() -> None:
    assert per_round([2.0, 6.0], [1.0, 2.0]) == [2.0, 3.0]


def test_a_table_has_a_rule_below_its_head() -> None:
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_a_chart_has_a_bar_as_long_as_each_median() -> None:
    picture = ET.fromstring(bars("CPU <\u00b5s>", {"a": [4.0, 5.0, 10.0], "b": [10.0]}, "a"))
    _, first, second = picture.iter("{http://www.w3.org/2000/svg}rect")
    assert 2 * float(first.attrib["width"]) == float(second.attrib["width"])
    assert first.attrib["fill"] != second.attrib["fill"]
