from __future__ import annotations

import pytest

from plugandtell.core.store_url import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
        ("rediss://:hunter2@host:6379/0", "rediss://host:6379/0"),
        ("redis://user:hunter2@host", "redis://user@host"),
        ("unix:///run/valkey.sock?db=0&password=hunter2", "unix:///run/valkey.sock"),
        ("postgresql://u:hunter2@[::1]:5432/calls?sslmode=require", "postgresql://u@[::1]:5432/calls"),
        ("postgresql+psycopg://u:hunter2@host/calls", "postgresql+psycopg://u@host/calls"),
        ("postgresql://u:hunter2@a:1,b:2/calls", "postgresql://…"),
        ("postgresql://u:hunt@er2@host/calls", "postgresql://u@host/calls"),
        ("postgresql://u:hunter2/5@host/calls", "postgresql://…"),
        ("postgresql://u:12/hunter2@host/calls", "postgresql://…"),
        ("postgresql://u:12#hunter2@host/calls", "postgresql://…"),
        ("postgresql://u:12?hunter2@host/calls", "postgresql://…"),
        ("postgresql://u:hun@ter#2@host/calls", "postgresql://…"),
        ("postgresql://u:hun@ter/2@host/calls", "postgresql://…"),
        ("postgresql://[hunter2/", "postgresql://…"),
        ("u:hunter2@host", "an address that cannot be read"),
        ("hunter2 ://x", "an address that cannot be read"),
        ("hunter2", "an address that cannot be read"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert without_password(url) == shown
