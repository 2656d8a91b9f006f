"""Addresses of audio, which may hold a password or a signature, as they may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit


def without_secrets(url: str) -> str:
    """The address without user, password, query and fragment; that of a file as it is."""
    if url.startswith("file://"):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.split("?", maxsplit=1)[0].rpartition("@")[2]
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
