from __future__ import annotations

import pytest

from plugandtell.analytics.audio_source import DEFAULT_LIMITS
from plugandtell.analytics.child_process import ChildLimits
from plugandtell.analytics.framing import BadFrame, Tag
from plugandtell.analytics.job_limit import JobLimit


@pytest.fixture
def limit() -> JobLimit:
    return JobLimit(120.0, per_audio_s=3.0, fetch_s=1800.0)


def test_the_end_grows_with_the_audio(limit: JobLimit) -> None:
    assert limit.ends_at_s == 120
    limit.heed(Tag.LENGTH, b"10000", now_s=1.0)
    assert limit.ends_at_s == 150
    limit.heed(Tag.LENGTH, b"1" * 200, now_s=1.0)
    assert limit.ends_at_s == 120 + 3 * 48 * 3600


def test_what_fetching_took_is_added_once_it_is_known_and_until_then_all_that_it_may_take(limit: JobLimit) -> None:
    limit.heed(Tag.FETCHING, b"", now_s=5.0)
    assert limit.ends_at_s == 1920
    limit.heed(Tag.FETCHED, b"", now_s=305.0)
    assert limit.ends_at_s == 420
    limit.heed(Tag.LENGTH, b"10000", now_s=306.0)
    assert limit.ends_at_s == 450


def test_a_child_cannot_fetch_for_longer_than_it_may_or_twice(limit: JobLimit) -> None:
    limit.heed(Tag.FETCHING, b"", now_s=0.0)
    limit.heed(Tag.FETCHED, b"", now_s=1900.0)
    assert limit.ends_at_s == 1920
    with pytest.raises(BadFrame, match="FETCHING instead of a result"):
        limit.heed(Tag.FETCHING, b"", now_s=1901.0)


@pytest.mark.parametrize("tag", [Tag.FETCHED, Tag.READY, Tag.TAKEN])
def test_what_does_not_come_before_a_result_is_refused(limit: JobLimit, tag: Tag) -> None:
    with pytest.raises(BadFrame, match=f"{tag.name} instead of a result"):
        limit.heed(tag, b"", now_s=1.0)


def test_the_pool_gives_a_fetch_as_long_as_it_may_take() -> None:
    assert ChildLimits().fetch_s >= DEFAULT_LIMITS.total_s
