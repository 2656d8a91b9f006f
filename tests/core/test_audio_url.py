from __future__ import annotations

import pytest

from plugandtell.core.audio_url import without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:hunter2@host:8443/a.wav?sig=hunter2#x", "https://host:8443/a.wav"),
        ("s3://calls/2026/7.wav", "s3://calls/2026/7.wav"),
        ("file:///audio/a%3F%23.wav", "file:///audio/a%3F%23.wav"),
        ("https://u:hunter2@[broken/a.wav?sig=hunter2", "[broken/a.wav"),
    ],
)
def test_what_may_be_secret_is_not_shown(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
