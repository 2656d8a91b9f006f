"""Which addresses stay within this machine."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether a host, by its name alone, is this machine and no other.

    `localhost` is, as are 127.0.0.0/8 and ::1. Any other name counts as another machine, whatever it may resolve to:
    that answer comes from the network, on some machines even for names that end in `.localhost`.
    """
    name = host.lower().removeprefix("[").removesuffix("]").rstrip(".")
    if name == "localhost":
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def reachable_host(host: str) -> str:
    """The host to connect to, on this machine, for a server that listens at `host`."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
