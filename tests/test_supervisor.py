from __future__ import annotations

import pytest

from plugandtell.supervisor import local_url


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("ws://127.0.0.1:3000", "ws://127.0.0.1:3000"),
        ("wss://0.0.0.0:3000", "wss://127.0.0.1:3000"),
        ("ws://[::]:3000", "ws://[::1]:3000"),
        ("wss://host.example:3000", "wss://host.example:3000"),
    ],
)
def test_a_server_that_listens_everywhere_is_found_on_the_loopback(printed: str, found: str) -> None:
    assert local_url(printed) == found
