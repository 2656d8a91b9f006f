"""Runs services in this process until it is asked to stop: what `plugandtell worker` and the embedded use share."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from plugandtell.analytics.alerting import DELIVERY_RULES, Alerting
from plugandtell.analytics.channels import COMMAND, LOG, WEBHOOK, CommandChannel, LogChannel
from plugandtell.analytics.consumer import Consumer, ConsumerSettings
from plugandtell.analytics.error_management import ErrorManagement
from plugandtell.analytics.queues import QUEUE_OF, QueueName
from plugandtell.analytics.settings import ServiceName
from plugandtell.analytics.sweep import Sweep
from plugandtell.analytics.worker import StageWorker, WorkRules
from plugandtell.core.call import Stage
from plugandtell.core.errors import TransientError
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from plugandtell.analytics.alerting import Channel
    from plugandtell.analytics.consumer import Handler
    from plugandtell.analytics.flow import Flow
    from plugandtell.analytics.service import CallInput
    from plugandtell.analytics.settings import WorkerSettings
    from plugandtell.analytics.worker import Runner

_CLERKS: Final = 4
"""Messages of the retry and alert queues at once: they wait for stores and for the network most of the time."""
_LONGEST_START_S: Final = 1000.0
"""More than the pool gives a service to be made."""
_LONGEST_FETCH_S: Final = 2000.0
"""More than the pool gives a service to fetch a call's audio."""
_LONGEST_AUDIO_S: Final = 48 * 3600.0
"""The most that --max-audio-hours can be."""


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


async def run_services(
    services: Collection[ServiceName], settings: WorkerSettings, flow: Flow, runner: Runner, stop: asyncio.Event
) -> None:
    """Run these services until `stop` is set; then finish what is in hand within the grace that the settings give.

    What is not finished by then goes back to its queue, and so does what a killed process had in hand. Stores that go
    away meanwhile are waited for.

    Args:
        services: What this process does for calls.
        settings: How.
        flow: The stores.
        runner: Does the work of the stages.
        stop: Set it to have this end.
    """
    stages = [Stage(name.value) for name in services if name is not ServiceName.ERRORS]
    consumers = [_stage_consumer(stage, settings, flow, runner) for stage in stages]
    async with asyncio.TaskGroup() as tasks:
        if ServiceName.ERRORS in services:
            alerting = Alerting(flow, _channels(settings), DELIVERY_RULES, random.random)
            rules = {stage: settings.retry_rules(stage) for stage in Stage}
            errors = ErrorManagement(flow, rules, alerting, random.random)
            consumers.append(_consumer(QueueName.RETRY, errors.handle, settings, flow, _CLERKS))
            consumers.append(_consumer(QueueName.ALERT, alerting.handle, settings, flow, _CLERKS))
            sweep = Sweep(flow, errors, quiet_s=settings.lock_s)
            tasks.create_task(_keep_sweeping(sweep, alerting, settings.sweep_every_s, stop))
        for consumer in consumers:
            tasks.create_task(consumer.run(grace_s=settings.grace_s))
        await stop.wait()
        for consumer in consumers:
            consumer.stop()


def _stage_consumer(stage: Stage, settings: WorkerSettings, flow: Flow, runner: Runner) -> Consumer:
    def limit_s(call: CallInput) -> float:
        transcript = call.results.get(Stage.TRANSCRIPTION)
        return settings.time_limit_s(stage, getattr(transcript, "duration_ms", 0) / 1000)

    name = f"{socket.gethostname()}:{os.getpid()}"
    # The pool alone knows when a service has been made, when the audio is there, and how long that is before it is
    # transcribed.
    unknown_s = _LONGEST_AUDIO_S * settings.per_audio_s(stage) if stage is Stage.TRANSCRIPTION else 0.0
    rules = WorkRules(limit_s, settings.max_deaths, overtime_s=_LONGEST_START_S + _LONGEST_FETCH_S + unknown_s)
    worker = StageWorker(stage, name, flow, runner, rules)
    return _consumer(QUEUE_OF[stage], worker.handle, settings, flow, settings.concurrency)


def _consumer(name: QueueName, handle: Handler, settings: WorkerSettings, flow: Flow, concurrency: int) -> Consumer:
    return Consumer(flow.queues, name, handle, ConsumerSettings(concurrency, settings.lock_s))


def _channels(settings: WorkerSettings) -> Mapping[str, Channel]:
    channels: dict[str, Channel] = {LOG: LogChannel()}
    if settings.alert_command:
        channels[COMMAND] = CommandChannel(settings.alert_command)
    if settings.alert_webhook is not None:
        from plugandtell.analytics.webhook import WebhookChannel  # noqa: PLC0415  (only who posts pays for its import)

        channels[WEBHOOK] = WebhookChannel(settings.alert_webhook)
    return channels


async def _keep_sweeping(sweep: Sweep, alerting: Alerting, every_s: float, stop: asyncio.Event) -> None:
    """Sweep until `stop`. It is not cancelled: a cancellation that comes while a store's client waits may get lost."""
    log = get_logger()
    while not stop.is_set():
        try:
            await sweep.run()
            await alerting.send_pending()
        except TransientError as error:
            log.warning("sweep_put_off", error=str(error))
        except Exception:  # the boundary of a task: the next sweep may fare better
            log.exception("sweep_failed")
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await stop.wait()
