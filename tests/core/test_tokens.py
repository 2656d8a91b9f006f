from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.tokens import SHORTEST, MalformedTokens, Tokens, parse_token, parse_tokens, presented_token

ALICE, BOB = "alice-0123456789abcdefghijkl", "bob-0123456789ABCDEFGHIJKL/+=="
tokens = st.from_regex(r"[A-Za-z0-9._~+/-]{22,60}=?", fullmatch=True)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    "text",
    [
        f"alice: {ALICE}\nbob: {BOB}\n",
        f"# who may come in\n\nalice {ALICE}\r\n  bob\t{BOB}",
        f"\ufeffalice:{ALICE},bob:{BOB}",
        f"alice: {ALICE} , bob: {BOB},",
    ],
)
def test_every_spelling_names_the_holders(text: str) -> None:
    known = parse_tokens(text)
    assert known.names == ["alice", "bob"]
    assert (known.holder_of(ALICE), known.holder_of(BOB)) == ("alice", "bob")


@given(st.dictionaries(names, tokens, min_size=1, max_size=5).filter(lambda d: len(set(d.values())) == len(d)), tokens)
def test_a_token_opens_for_its_holder_and_no_other(known: dict[str, str], other: str) -> None:
    parsed = parse_tokens("\n".join(f"{name}: {token}" for name, token in known.items()))
    assert {name: parsed.holder_of(token) for name, token in known.items()} == {name: name for name in known}
    assert parsed.holder_of(other) == next((name for name, token in known.items() if token == other), None)


@given(st.text(st.characters()))
def test_whatever_is_presented_opens_nothing_by_accident(presented: str) -> None:
    assert parse_tokens(f"alice: {ALICE}").holder_of(presented) is None
    assert Tokens().holder_of(presented) is None


@pytest.mark.parametrize("wrong", ["", ALICE[:-1], ALICE + "m", ALICE.upper(), f" {ALICE}", "é\ud800"])
def test_near_misses(wrong: str) -> None:
    assert parse_tokens(f"alice: {ALICE}").holder_of(wrong) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no token"),
        ("# nothing but this\n", "no token"),
        (ALICE, "line 1 is not `name: token`"),
        (f"\nalice: {ALICE} # mine", "line 2 is not"),
        (f"al ice: {ALICE}", "line 1 is not"),
        (f"-alice: {ALICE}", "line 1 is not"),
        ("alice: short", "5 characters, where 22 are the least"),
        ("alice: " + "é" * 30, "is no token"),
        ("alice: " + "x" * 513, "is no token"),
        (f"{ALICE} alice", "line 1 is too short"),
        (f"alice: {ALICE}\nalice: {BOB}", "second token"),
        (f"alice: {ALICE}\nbob: {ALICE}", "another has"),
    ],
)
def test_what_cannot_be_used_is_named_and_never_shown(text: str, problem: str) -> None:
    with pytest.raises(MalformedTokens, match=problem) as caught:
        parse_tokens(text)
    assert ALICE not in str(caught.value)
    assert "short," not in str(caught.value)


def test_nothing_that_shows_tokens_shows_a_token() -> None:
    shown = repr(parse_tokens(f"alice: {ALICE}"))
    assert ALICE not in shown
    assert "b'" not in shown


def test_tokens_of_two_places_are_joined_unless_they_contradict() -> None:
    alice, bob = parse_tokens(f"alice: {ALICE}"), parse_tokens(f"bob: {BOB}")
    assert alice.joined(bob).names == ["alice", "bob"]
    assert Tokens().joined(bob).names == ["bob"]
    with pytest.raises(MalformedTokens, match="second token"):
        alice.joined(alice)


def test_a_client_has_one_token() -> None:
    assert parse_token(f"# for the server at home\n{ALICE}\n").reveal() == ALICE


@pytest.mark.parametrize("text", ["", "x" * (SHORTEST - 1), f"{ALICE}\n{BOB}", f"alice: {ALICE}", f"{ALICE}\x1b[2J"])
def test_what_is_not_one_token_is_named_and_never_shown(text: str) -> None:
    with pytest.raises(MalformedTokens) as caught:
        parse_token(text)
    assert ALICE not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer", None), ("Bearer a b", None)],
)
def test_the_header_that_presents_a_token(header: str, token: str | None) -> None:
    assert presented_token(header) == token
