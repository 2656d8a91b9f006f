"""Text from elsewhere, made safe to show: whatever it holds, it cannot reach a terminal or forge a line."""

from __future__ import annotations

_LONGEST = 300


def escape(text: str) -> str:
    r"""`text` with every control, bidi or otherwise invisible character as `\n`, `\x1b` or `\u202e`."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def escape_lines(text: str) -> str:
    """The same, but line breaks stay: for a text of ours, into which foreign text was escaped before."""
    return "\n".join(escape(line) for line in text.split("\n"))


def foreign(text: str, longest: int = _LONGEST) -> str:
    """What a peer said, as it may stand in a line of ours: escaped, and cut to `longest` characters."""
    shown = escape(text[: longest + 1])
    return shown if len(shown) <= longest else shown[:longest] + "…"


def escape_json(text: str) -> str:
    r"""JSON that reads the same, but shows no invisible character: each is spelled `\u202e`.

    Line breaks stay: outside strings JSON has no other use for such characters, and inside strings no raw line break.
    """
    return "".join(c if c.isprintable() or c == "\n" else _json_escape(c) for c in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
