"""The page, line by line, and as Prometheus' own parser reads it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from plugandtell.core.exposition import Family, Kind, Sample, render


def test_a_family_is_its_meaning_its_kind_and_its_numbers() -> None:
    samples = [Sample(3, {"code": "a"}), Sample(0.5, {"code": "b", "by": "c"})]
    page = render([Family("x_total", Kind.COUNTER, "What x is.", samples), Family("y", Kind.GAUGE, "y", [Sample(7)])])
    assert page.splitlines() == [
        "# HELP x_total What x is.",
        "# TYPE x_total counter",
        'x_total{code="a"} 3',
        'x_total{code="b",by="c"} 0.5',
        "# HELP y y",
        "# TYPE y gauge",
        "y 7",
    ]
    assert page.endswith("\n")


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from('\\"\n n')), st.floats(allow_nan=False))
def test_what_is_written_is_what_is_read(text: str, value: float) -> None:
    page = render([Family("x", Kind.GAUGE, "x", [Sample(value, {"label": text})])])
    ((sample,),) = [family.samples for family in text_string_to_metric_families(page)]
    assert (sample.labels, sample.value) == ({"label": text}, value)
