"""A worker process whose services do what each call's audio URL says, and whose results tell what they were made of.

The URL ends with the stages that misbehave: `file:///calls/a?features=once&intent=always`. What happens but once is
remembered in a file, since the process that remembers may be killed.
"""

from __future__ import annotations

import asyncio
import faulthandler
import hashlib
import json
import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from plugandtell.analytics.app import open_flow
from plugandtell.analytics.runtime import run_services
from plugandtell.analytics.settings import ServiceName, StoreSettings, WorkerSettings
from plugandtell.analytics.wire import to_json
from plugandtell.core.call import NEEDS, Stage
from plugandtell.core.errors import ChildCrashed, EngineFailed, InputNotAudio, PlugAndTellError, StageTimedOut
from plugandtell.core.findings import (
    CallMetrics,
    Features,
    Intent,
    IntentClass,
    Keyword,
    Metric,
    Sentiment,
)
from plugandtell.core.transcript import Engine, Party, Span, Transcript, Turn
from plugandtell.stopping import stop_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugandtell.analytics.service import CallInput, StageResult

_ENGINE = Engine("scripted", "1")


class Way(StrEnum):
    """How a stage behaves."""

    QUICK = "quick"
    SLOW = "slow"
    ONCE = "once"
    ALWAYS = "always"
    HOPELESS = "hopeless"
    POISON = "poison"
    POISON_ONCE = "poison_once"
    HANG = "hang"
    SUICIDE_ONCE = "suicide_once"
    SUICIDE = "suicide"


def ways_of(audio_url: str) -> dict[Stage, Way]:
    """How each stage behaves for the call of this URL."""
    asked = {Stage(name): Way(way) for name, way in parse_qsl(urlsplit(audio_url).query)}
    return {stage: asked.get(stage, Way.QUICK) for stage in Stage}


def result_of(stage: Stage, call_id: str, before: Mapping[Stage, StageResult]) -> StageResult:
    """What a stage makes of a call and of the results before, which all of it depends on."""
    known = [to_json(before[needed]) for needed in Stage if needed in NEEDS[stage]]
    digest = hashlib.sha256("\n".join([call_id, stage.value, *known]).encode()).hexdigest()
    unknown = Metric(None, "scripted")
    match stage:
        case Stage.TRANSCRIPTION:
            turn = Turn(Party.SPEAKER, Span(0, 50), f"{call_id} {digest}")
            return Transcript(100, (Party.SPEAKER,), "en", (turn,), _ENGINE)
        case Stage.FEATURES:
            return Features((Keyword(digest, 1.0, 1),), (), CallMetrics(unknown, unknown, unknown, ()), _ENGINE)
        case Stage.SENTIMENT:
            return Sentiment((), (), None, None, Engine("scripted", digest))
        case Stage.INTENT:
            return Intent(IntentClass.OTHER, 0.5, (), digest, None, _ENGINE)


class Scripted:
    """The services.

    Args:
        folder: Where what happened once is remembered.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def run(self, stage: Stage, call: CallInput, limit_s: float) -> StageResult:
        """See `Runner`."""
        way = ways_of(call.audio_url)[stage]
        await asyncio.sleep(0.3 if way is Way.SLOW else 0.01)
        await self._misbehave(way, f"{stage.value} of {call.call_id}", limit_s)
        return result_of(stage, call.call_id, call.results)

    async def _misbehave(self, way: Way, what: str, limit_s: float) -> None:
        match way:
            case Way.ALWAYS:
                raise EngineFailed("scripted", what)
            case Way.ONCE if self._first(what):
                raise EngineFailed("scripted", what)
            case Way.HOPELESS:
                raise InputNotAudio(what, "scripted")
            case Way.POISON:
                raise ChildCrashed(what, "signal 11")
            case Way.POISON_ONCE if self._first(what):
                raise ChildCrashed(what, "signal 11")
            case Way.HANG:
                await asyncio.sleep(limit_s)
                raise StageTimedOut(what, limit_s)
            case Way.SUICIDE:
                os.kill(os.getpid(), signal.SIGKILL)
            case Way.SUICIDE_ONCE if self._first(what):
                os.kill(os.getpid(), signal.SIGKILL)
            case _:
                pass

    def _first(self, what: str) -> bool:
        try:
            (self._folder / f"{what}.once").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def main() -> None:
    """Run the services that the one argument, a JSON object, names, until asked to stop."""
    try:
        asyncio.run(_work(json.loads(sys.argv[1])))
    except PlugAndTellError as error:  # a store was away when it started: its supervisor tries again
        sys.exit(str(error))


async def _work(options: Mapping[str, Any]) -> None:
    folder = Path(options["folder"])
    stores = StoreSettings(
        queue_url=options["queue_url"], database_url=options["database_url"], data_dir=folder / "data"
    )
    settings = WorkerSettings(**options["settings"])
    faulthandler.register(signal.SIGUSR1)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, _show_tasks)
    with stop_requests() as stop:
        async with open_flow(stores, os.environ) as flow:
            services = [ServiceName(name) for name in options["services"]]
            await run_services(services, settings, flow, Scripted(folder), stop)


def _show_tasks() -> None:
    """Say where each task is: whoever finds this process stuck wants to know."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)


if __name__ == "__main__":
    main()
