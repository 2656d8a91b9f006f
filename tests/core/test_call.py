from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugandtell.core.call import (
    NEEDS,
    CallOptions,
    CallState,
    Stage,
    StageState,
    call_state,
    may_become,
    stages_ready,
)

T, F, S, I = Stage  # noqa: E741
DONE, FAILED, RUNNING, WAITING, RETRYING = (
    StageState.DONE,
    StageState.FAILED,
    StageState.RUNNING,
    StageState.WAITING,
    StageState.RETRYING,
)


@pytest.mark.parametrize(
    ("done", "ready"),
    [((), (T,)), ((T,), (F,)), ((T, F), (S, I)), ((T, F, I), (S,)), ((T, F, S, I), ()), ((F,), (T,))],
)
def test_a_stage_begins_when_all_that_it_needs_is_done(done: tuple[Stage, ...], ready: tuple[Stage, ...]) -> None:
    assert stages_ready(done) == ready


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, CallState.WAITING),
        ({T: WAITING}, CallState.WAITING),
        ({T: RUNNING}, CallState.RUNNING),
        ({T: RETRYING}, CallState.RUNNING),
        ({T: FAILED}, CallState.FAILED),
        ({T: DONE}, CallState.RUNNING),
        ({T: DONE, F: DONE, S: FAILED, I: RUNNING}, CallState.RUNNING),
        ({T: DONE, F: DONE, S: FAILED}, CallState.RUNNING),
        ({T: DONE, F: DONE, S: FAILED, I: DONE}, CallState.FAILED),
        ({T: DONE, F: DONE, S: FAILED, I: FAILED}, CallState.FAILED),
        ({T: DONE, F: DONE, S: DONE, I: DONE}, CallState.COMPLETE),
    ],
)
def test_the_stages_make_the_state_of_the_call(states: dict[Stage, StageState], expected: CallState) -> None:
    assert call_state(states) is expected


def test_a_call_ends_exactly_when_no_stage_can_go_on() -> None:
    for each in product(StageState, repeat=4):
        states = dict(zip(Stage, each, strict=True))
        done = {stage for stage in Stage if states[stage] is DONE}
        goes_on = any(states[stage] is not FAILED for stage in stages_ready(done))
        assert call_state(states).is_end is (not goes_on), states


@given(st.lists(st.sampled_from(Stage), unique=True))
def test_every_order_of_ready_stages_ends_with_all_of_them_done(preference: list[Stage]) -> None:
    done: list[Stage] = []
    while ready := stages_ready(done):
        done.append(min(ready, key=lambda stage: preference.index(stage) if stage in preference else 9))
    assert set(done) == set(NEEDS) == set(Stage)


@pytest.mark.parametrize("language", ["EN", "english", "e", "1é", ""])
def test_a_language_is_a_code_of_two_letters(language: str) -> None:
    with pytest.raises(ValueError, match="two small letters"):
        CallOptions(language=language)


def test_the_time_of_a_call_has_its_offset() -> None:
    assert CallOptions(started_at=datetime(2026, 11, 24, tzinfo=UTC)).started_at is not None
    with pytest.raises(ValueError, match="needs its offset from UTC"):
        CallOptions(started_at=datetime(2026, 11, 24))  # noqa: DTZ001


def test_what_comes_late_changes_no_stage_that_is_done_or_failed() -> None:
    assert not any(may_become(state, after) for state in (DONE, FAILED) for after in StageState)


def test_a_stage_that_is_open_can_be_done_or_fail_and_never_goes_back_to_waiting() -> None:
    for state in (WAITING, RUNNING, RETRYING):
        assert may_become(state, DONE)
        assert may_become(state, FAILED)
        assert not may_become(state, WAITING)


def test_a_failure_is_noted_once_and_a_worker_that_died_is_followed_by_another() -> None:
    assert not may_become(RETRYING, RETRYING)
    assert may_become(RUNNING, RUNNING)
