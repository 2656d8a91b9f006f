from __future__ import annotations

from plugandtell.core.spoken_language import assign_languages

SECOND = 16_000
EN = {"en": 0.9, "fr": 0.05, "de": 0.05}
FR = {"fr": 0.9, "en": 0.02, "de": 0.08}


def test_one_language_holds_for_all_of_it() -> None:
    assert assign_languages([EN, EN, None], [2 * SECOND, SECOND, SECOND], ["en", "fr"]) == ["en", "en", "en"]


def test_a_piece_that_is_plainly_in_another_language_is_in_it() -> None:
    assert assign_languages([EN, FR, EN], [9 * SECOND, 3 * SECOND, SECOND], ["en", "fr"]) == ["en", "fr", "en"]


def test_a_short_or_unsure_piece_is_in_the_language_of_the_rest() -> None:
    unsure = {"en": 0.3, "fr": 0.7}
    assert assign_languages([EN, FR, unsure], [9 * SECOND, SECOND, 5 * SECOND], ["en", "fr"]) == ["en", "en", "en"]


def test_only_the_languages_there_are_to_choose_from_count() -> None:
    welsh = {"cy": 0.9, "fr": 0.08, "en": 0.02}
    assert assign_languages([welsh], [5 * SECOND], ["en", "fr"]) == ["fr"]


def test_the_first_language_is_taken_where_nothing_is_known() -> None:
    assert assign_languages([None, {"cy": 1.0}], [SECOND, SECOND], ["fr", "en"]) == ["fr", "fr"]
    assert assign_languages([], [], ["en"]) == []
