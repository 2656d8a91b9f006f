from __future__ import annotations

import pytest

from plugandtell.core.network import is_loopback, reachable_host


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "::1%lo", "localhost", "LocalHost.", "::ffff:127.0.0.1"],
)
def test_what_stays_on_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "a.localhost",
        "localhost.example",
        "127.0.0.1.example",
        "2130706433",
    ],
)
def test_whatever_else_may_leave_it(host: str) -> None:
    assert not is_loopback(host)


def test_who_listens_everywhere_is_found_on_the_loopback() -> None:
    assert [reachable_host(host) for host in ("0.0.0.0", "::", "", "10.0.0.1")] == [
        "127.0.0.1",
        "::1",
        "127.0.0.1",
        "10.0.0.1",
    ]
