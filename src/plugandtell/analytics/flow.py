"""How a call goes from stage to stage: what is added to which queue, and when.

The database has the word. A job may be added twice, lost or late: what is kept there says what is owed, and the names
of jobs make each second add one that changes nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.queues import QUEUE_OF, QueueName
from plugandtell.core.call import Stage, StageState, stages_ready
from plugandtell.core.errors import InvalidSetting
from plugandtell.core.message import Attempt, failed, pending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from plugandtell.analytics.calls import CallRecord, Calls, StageRecord
    from plugandtell.analytics.queues import Queues
    from plugandtell.core.call import CallOptions
    from plugandtell.core.failure import Failure

SUBMISSION: Final = "Call Processor API"
ERROR_MANAGEMENT: Final = "Error Management"
SERVICE_OF: Final = {
    Stage.TRANSCRIPTION: "Call Transcription",
    Stage.FEATURES: "Call Feature Extraction",
    Stage.SENTIMENT: "Sentiment Analysis",
    Stage.INTENT: "Customer Intent Classification",
}
"""The services as messages name their senders."""

_CALL_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class Flow:
    """Adds to the queues what is next for a call.

    Args:
        calls: The database.
        queues: The queues.
        now: The time, in UTC.
    """

    def __init__(self, calls: Calls, queues: Queues, now: Callable[[], datetime]) -> None:
        self.calls = calls
        self.queues = queues
        self.now = now

    async def submit(self, call_id: str, audio_url: str, source: str, options: CallOptions) -> bool:
        """Take a call in; False if it was there already, which changes nothing.

        Should the program die on the way, the call is in the database, and the sweep sends it off.

        Raises:
            InvalidSetting: The id is none.
            StoreUnreachable: A store does not answer. Submit it again.
        """
        if not _CALL_ID.fullmatch(call_id):
            raise InvalidSetting("call id", call_id, "up to 200 letters, digits, dots, dashes and underscores")
        is_new = await self.calls.add(call_id, audio_url, source, options, self.now())
        await self.forward(call_id, SUBMISSION)
        return is_new

    async def retry(self, call_id: str) -> Sequence[Stage]:
        """A person wants another try: stages that failed for good begin anew; says which.

        Raises:
            CallNotFound: There is no such call.
            StoreUnreachable: A store does not answer. Ask again.
        """
        stages = await self.calls.reset(call_id, self.now())
        await self.forward(call_id, SUBMISSION)
        return stages

    async def forward(self, call_id: str, sender: str) -> None:
        """Add the next attempt of every stage that can begin and has not.

        Raises:
            CallNotFound: There is no such call.
            StoreUnreachable: A store does not answer.
        """
        call = await self.calls.get(call_id)
        records = await self.calls.stages(call_id)
        for stage in stages_open(records):
            if records[stage].state is StageState.WAITING:
                await self.attempt(call, Attempt(call_id, stage, records[stage].next_attempt), sender)

    async def attempt(self, call: CallRecord, attempt: Attempt, sender: str, delay_s: float = 0.0) -> None:
        """Have an attempt made, on its stage's own queue.

        Raises:
            StoreUnreachable: The queue store does not answer.
        """
        message = pending(attempt, call.audio_url, sender, self.now())
        await self.queues.add(QUEUE_OF[attempt.stage], attempt.job_id, message, delay_s)

    async def hold(self, call: CallRecord, attempt: Attempt, delay_s: float) -> None:
        """Keep an attempt in the retry queue until it is due.

        Raises:
            StoreUnreachable: The queue store does not answer.
        """
        message = pending(attempt, call.audio_url, ERROR_MANAGEMENT, self.now())
        await self.queues.add(QueueName.RETRY, attempt.return_id, message, delay_s)

    async def report(self, attempt: Attempt, audio_url: str, failure: Failure) -> None:
        """Tell error management of a failure.

        Raises:
            StoreUnreachable: The queue store does not answer.
        """
        message = failed(attempt, audio_url, SERVICE_OF[attempt.stage], failure)
        await self.queues.add(QueueName.RETRY, attempt.report_id, message)


def stages_open(records: Mapping[Stage, StageRecord]) -> tuple[Stage, ...]:
    """The stages on which something is to be done: not done, not failed, and all that they need is done."""
    ready = stages_ready([stage for stage, record in records.items() if record.state is StageState.DONE])
    return tuple(stage for stage in ready if records[stage].state is not StageState.FAILED)
