from __future__ import annotations

from datetime import timedelta

import pytest

from plugandtell.core.amounts import length_text, parse_age, parse_size, size_text


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("30d", timedelta(days=30)),
        ("90m", timedelta(minutes=90)),
        ("90 min", timedelta(minutes=90)),
        (" 1.5W ", timedelta(days=10.5)),
        ("12h", timedelta(hours=12)),
        ("0s", timedelta()),
    ],
)
def test_ages_are_read(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "30 days ago", "1e3d", "nan d", "1001000w", "9" * 400 + "d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 30d"):
        parse_age(text)


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("5GB", 5_000_000_000), ("5g", 5_000_000_000), ("1.5 TiB", 3 * 2**39), ("500MB", 500_000_000), ("7b", 7)],
)
def test_sizes_are_read(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "5", "GB", "-5GB", "5 PB", "5 GBit", "99999999TB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 5GB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (32_044, "32 kB"),
        (999_499, "999 kB"),
        (999_600, "1 MB"),
        (3_200_000, "3.2 MB"),
        (5_000_000_000, "5 GB"),
        (2_345_000_000_000, "2.3 TB"),
        (-32_000, "-32 kB"),
    ],
)
def test_sizes_are_written(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (6.688, "0:06.7"), (59.96, "1:00.0"), (3723.44, "1:02:03.4")]
)
def test_lengths_are_written(seconds: float, text: str) -> None:
    assert length_text(seconds) == text
