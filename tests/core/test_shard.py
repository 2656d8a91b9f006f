from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.shard import WHOLE, Shard, shard_of


@given(st.uuids(), st.integers(1, 64))
def test_each_stream_belongs_to_one_share(stream_id: UUID, of: int) -> None:
    owners = [number for number in range(of) if Shard(number, of).owns(stream_id)]
    assert owners == [shard_of(stream_id, of)]
    assert WHOLE.owns(stream_id)


@pytest.mark.parametrize("differ_at", [0, 96], ids=["in their last bits", "in their first bits"])
@pytest.mark.parametrize("of", [2, 3, 4, 8])
def test_the_shares_are_about_equal(differ_at: int, of: int) -> None:
    counts = Counter(shard_of(UUID(int=(number << differ_at) + 7), of) for number in range(4000))
    assert min(counts.values()) > 4000 / of * 0.7
    assert len(counts) == of


def test_the_owner_is_the_same_in_every_process() -> None:
    assert [shard_of(UUID(int=number), 4) for number in range(8)] == [1, 3, 1, 3, 0, 2, 0, 2]


@pytest.mark.parametrize(("number", "of"), [(1, 1), (-1, 2), (0, 0)])
def test_there_is_no_such_share(number: int, of: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        Shard(number, of)
