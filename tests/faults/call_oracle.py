"""What must be known of a call at the end, whatever went wrong on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugandtell.analytics.settings import WorkerSettings
from plugandtell.core.call import NEEDS, CallState, Stage
from tests.faults.call_worker import Way, result_of, ways_of

if TYPE_CHECKING:
    from plugandtell.analytics.flow import Flow
    from plugandtell.analytics.service import StageResult

_RULES: Final = WorkerSettings()
_ALL: Final = _RULES.attempts + _RULES.rounds
FAILURES: Final = {
    Way.QUICK: {0},
    Way.SLOW: {0},
    Way.SUICIDE_ONCE: {0},
    Way.ONCE: {0, 1},  # none where the process was killed before it could tell
    Way.POISON_ONCE: {0, 1},
    Way.ALWAYS: {_ALL},
    Way.HOPELESS: {1},
    Way.POISON: {_RULES.poison_attempts},
    Way.HANG: {_RULES.poison_attempts},
}
"""How many failures each way of behaving leads to."""
_FATAL: Final = (Way.ALWAYS, Way.HOPELESS, Way.POISON, Way.HANG)


async def check_call(flow: Flow, call_id: str, audio_url: str) -> list[str]:
    """Compare a call with a run that nobody disturbs; returns the ids of the alerts that it should have led to.

    Raises:
        AssertionError: It is not as it should be.
    """
    ways = ways_of(audio_url)
    results: dict[Stage, StageResult] = {}
    fatal: list[Stage] = []
    for stage in Stage:
        if NEEDS[stage] <= results.keys():
            if ways[stage] in _FATAL:
                fatal.append(stage)
            else:
                results[stage] = result_of(stage, call_id, results)
    call = await flow.calls.get(call_id)
    assert call.state is (CallState.FAILED if fatal else CallState.COMPLETE), f"{call_id} is {call.state}: {ways}"
    assert dict(await flow.calls.results(call_id)) == results, f"other results of {call_id}: {ways}"
    made = {stage for stage in Stage if stage in results or stage in fatal}
    last = {stage: await _check_failures(flow, call_id, stage, ways[stage], made) for stage in Stage}
    expected = sorted(f"{call_id}.{stage.value}.{last[stage]}" for stage in fatal)
    alerts = sorted(alert.alert_id for alert in await flow.calls.alerts(call_id))
    assert alerts == expected, f"{call_id} has the alerts {alerts}, not {expected}"
    return expected


async def _check_failures(flow: Flow, call_id: str, stage: Stage, way: Way, made: set[Stage]) -> int:
    """Returns how many there are."""
    attempts = [failure.attempt for failure in await flow.calls.failures(call_id) if failure.stage is stage]
    allowed = FAILURES[way] if stage in made else {0}
    assert sorted(attempts) == list(range(1, len(attempts) + 1)), f"{call_id}, {stage}: failures of attempts {attempts}"
    assert len(attempts) in allowed, f"{call_id}, {stage}, {way}: {len(attempts)} failures instead of {allowed}"
    return len(attempts)
