from __future__ import annotations

import pickle

import pytest

from plugandtell.core.secret import Secret


def test_only_reveal_shows_it() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert not hasattr(secret, "__dict__")


def test_it_is_not_written_down() -> None:
    with pytest.raises(TypeError, match="not to be written down"):
        pickle.dumps(Secret("hunter2"))


def test_no_list_of_variables_shows_it() -> None:
    variables = {"token": Secret("hunter2"), "others": (Secret("hunter2"),)}
    assert str(variables) == "{'token': Secret(***), 'others': (Secret(***),)}"
