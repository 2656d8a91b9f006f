"""Says what came of calls when they reach their ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.api import report_of
from plugandtell.analytics.flow import stages_open
from plugandtell.analytics.following import LOOK_EVERY_S, ends, patient_changes
from plugandtell.core.call import StageState
from plugandtell.core.errors import CallNotFound, PlugAndTellError, TransientError
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugandtell.analytics.calls import StageRecord
    from plugandtell.analytics.database import StoredCalls
    from plugandtell.analytics.report import Report
    from plugandtell.core.call import Stage

_SHORT_TRIES: Final = 3
"""So often a stage may have failed for its next try to be worth waiting for."""


class Announcer:
    """Says the report of each call that it expects, once, when the call has ended.

    Args:
        calls: The calls.
        say: Shows a report.
    """

    def __init__(self, calls: StoredCalls, say: Callable[[Report], None]) -> None:
        self._calls = calls
        self._say = say
        self._expected: set[str] = set()
        self._log = get_logger()

    def expect(self, call_id: str) -> None:
        """Say what comes of this call."""
        self._expected.add(call_id)

    async def run(self, since: int) -> None:
        """Go on for ever, from that place in the order of changes on."""
        while True:
            changes = await patient_changes(self._calls, since)
            for change in changes:
                since = change.seq
                if change.call_id in self._expected and ends([change]):
                    await self._look_at(change.call_id)
            if not changes:
                await asyncio.sleep(LOOK_EVERY_S)

    async def drained(self) -> int:
        """Wait until all that is expected has ended, or waits for a try that is far off; says how many those are."""
        said = 0
        while self._expected:
            going_on = [call_id for call_id in sorted(self._expected) if await self._look_at(call_id)]
            if not going_on:
                break
            if len(going_on) != said:
                self._log.info("calls_remaining", number=len(going_on))
                said = len(going_on)
            await asyncio.sleep(LOOK_EVERY_S)
        return len(self._expected)

    async def _look_at(self, call_id: str) -> bool:
        """Say its report if it has ended; whether something is about to happen to it."""
        try:
            if not (await self._calls.get(call_id)).state.is_end:
                return _goes_on(await self._calls.stages(call_id))
            report = await report_of(self._calls, call_id)
        except TransientError:
            return True
        except CallNotFound:
            self._log.info("call_deleted", call_id=call_id)
        except PlugAndTellError as error:
            self._log.error("report_unreadable", call_id=call_id, error=str(error))
        else:
            if call_id in self._expected:
                self._say(report)
        self._expected.discard(call_id)
        return False


def _goes_on(records: Mapping[Stage, StageRecord]) -> bool:
    return any(_is_near(records[stage]) for stage in stages_open(records))


def _is_near(record: StageRecord) -> bool:
    return record.state is not StageState.RETRYING or record.failed - record.forgiven < _SHORT_TRIES
