"""A channel for alerts in a test's hands."""

from __future__ import annotations

from typing import Any

from plugandtell.core.errors import AlertNotSent


class Recording:
    """A channel that keeps what it is sent, or fails as often as a test says."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: list[dict[str, Any]] = []
        self._failures = failures

    async def send(self, facts: dict[str, Any]) -> None:
        if self._failures:
            self._failures -= 1
            raise AlertNotSent("test", "down")
        self.sent.append(facts)
