"""Asks a server over HTTP, as monitoring does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from tests.support.wire import WITHIN_S


@dataclass(frozen=True, slots=True)
class Page:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def numbers(self) -> dict[str, float]:
        """Every number by its name, with its labels as they stand on the page; read by Prometheus' own parser."""
        return {
            sample.name + "".join(f"{{{name}={value}}}" for name, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.body)
            for sample in family.samples
        }


async def get(url: str, path: str, *headers: str, method: str = "GET") -> Page:
    """Ask once, on a connection of its own."""
    reader, writer = await connected(url)
    return await ask(reader, writer, path, *headers, method=method)


async def connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which nothing was said."""
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, *headers: str, method: str = "GET"
) -> Page:
    """Ask on a connection; the server closes it behind its answer."""
    try:
        writer.write("\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode())
        async with asyncio.timeout(WITHIN_S):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return Page(int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body)
