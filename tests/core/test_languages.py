from __future__ import annotations

import pytest

from plugandtell.core.languages import code_of


@pytest.mark.parametrize(
    ("name", "code"),
    [("english", "en"), ("French", "fr"), (" haitian creole ", "ht"), ("fr", "fr"), ("EN", "en"), ("klingon", None)],
)
def test_names_and_codes_give_the_code(name: str, code: str | None) -> None:
    assert code_of(name) == code


def test_what_is_no_name_has_no_code() -> None:
    assert code_of("") is None
