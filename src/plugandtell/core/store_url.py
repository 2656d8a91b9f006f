"""Addresses of databases and queue stores, which may hold a password, as they may be shown."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

UNREADABLE: Final = "…"
"""Stands for what is not shown of an address that can be read in more than one way."""


def without_password(url: str) -> str:
    """The address as errors and logs show it: scheme, user, host, port and path.

    The query goes too, since passwords can be given there. What cannot be read as an address shows nothing but its
    scheme, as any part of it may be the password.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or not scheme.replace("+", "").replace("-", "").isalnum():
        return "an address that cannot be read"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises where it is no number: a password with a "/" or "#" in it is cut there)
    except ValueError:
        return f"{scheme}://{UNREADABLE}"
    credentials, at, host = parts.netloc.rpartition("@")
    if "@" in parts.path or "@" in parts.fragment or (not at and "@" in parts.query):
        return f"{scheme}://{UNREADABLE}"
    user = credentials.partition(":")[0]
    return f"{scheme}://{user}{'@' if user else ''}{host}{parts.path}"
