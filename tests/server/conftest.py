"""A real server on a real socket, in the loop of the test."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from plugandtell.server.app import running_server
from plugandtell.server.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


class StartServer(Protocol):
    def __call__(self, **changes: Any) -> AbstractAsyncContextManager[str]: ...


@pytest.fixture
def audio_dir(tmp_path: Path) -> Path:
    return tmp_path / "audio"


@pytest.fixture
def start_server(audio_dir: Path) -> StartServer:
    """Starts a server that records into `audio_dir`; gives its URL."""

    @asynccontextmanager
    async def start(**changes: Any) -> AsyncIterator[str]:
        defaults: dict[str, Any] = {"port": 0, "audio_dir": audio_dir}
        async with running_server(ServerSettings(**(defaults | changes))) as server:
            yield server.url

    return start
