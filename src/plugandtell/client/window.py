"""What there is to see of a client while it works, and to switch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plugandtell.core.audio import SPEECH
from plugandtell.core.gate import GateState
from plugandtell.core.meter import Meter
from plugandtell.core.rate import Rate
from plugandtell.core.status import ClientStatus, LineState, Phase
from plugandtell.core.talk import Key, Talk
from plugandtell.logservice import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugandtell.client.delivery import Delivery
    from plugandtell.client.feed import Feed
    from plugandtell.core.gate import AudioGate


class Window:
    """Looks into a client from outside: it costs nothing while nobody looks, but for the meter.

    Args:
        server: The address.
        monotonic: A clock in seconds.
        push_to_talk: See `Talk`.
        is_watched: Whether anybody will look: without, no level is measured.

    Attributes:
        talk: What is heard goes through it.
        meter: Measures what is heard; None if nobody will look.
    """

    def __init__(
        self, server: str, monotonic: Callable[[], float], *, push_to_talk: bool = False, is_watched: bool = False
    ) -> None:
        self.talk = Talk(push_to_talk=push_to_talk)
        self.meter = Meter() if is_watched else None
        self._monotonic = monotonic
        self._server = server
        self._rate = Rate()
        self._source = ""
        self._delivery: Delivery | None = None
        self._feed: Feed | None = None
        self._gate: AudioGate | None = None
        self._silence_s = 3.0
        self._was_up = False
        self._phase = Phase.STARTING

    def listens(self, source: str) -> None:
        """The input is open."""
        self._source = source

    def delivers(self, delivery: Delivery) -> None:
        """What it hears has somewhere to go."""
        self._delivery = delivery

    def captures(self, feed: Feed, gate: AudioGate, silence_s: float) -> None:
        """Audio flows, through this gate; so much silence ends a recording."""
        self._feed, self._gate, self._silence_s = feed, gate, silence_s
        self._phase = Phase.RUNNING

    def finishes(self) -> None:
        """No more is captured."""
        self._phase = Phase.FINISHING

    def press(self, key: Key) -> None:
        """Take a key, and say in the log what it changed."""
        if self.talk.press(key, self._monotonic()):
            at_s = 0.0 if self._feed is None else SPEECH.seconds_from(self._feed.captured_samples)
            get_logger().info("talk_changed", state=self.talk.state.value, at_s=at_s)

    def press_named(self, name: str) -> None:
        """Take the name of a key; what is none changes nothing."""
        if name in tuple(Key):
            self.press(Key(name))

    def look(self) -> ClientStatus:
        """What it does now."""
        status = ClientStatus(
            phase=Phase.FINISHING if self._feed is not None and self._feed.is_over else self._phase,
            source=self._source,
            server=self._server,
            talk=self.talk.state,
            silence_limit_s=self._silence_s,
        )
        return status if self._delivery is None else self._with_delivery(self._delivery, status)

    def _with_delivery(self, delivery: Delivery, status: ClientStatus) -> ClientStatus:
        own = delivery.own
        waiting = delivery.waiting_samples
        sent = max(0, own.reporter.total_bytes - SPEECH.bytes_in(own.stream.unacknowledged_samples))
        gate = self._gate
        return replace(
            status,
            line=self._line(delivery),
            gate=GateState.LISTENING if gate is None else gate.state,
            silence_s=self._silence(gate),
            voice_s=SPEECH.seconds_from(SPEECH.samples_in(own.reporter.passed_bytes)),
            heard=status.heard if self.meter is None else self.meter.heard,
            captured_s=0.0 if self._feed is None else SPEECH.seconds_from(self._feed.captured_samples),
            waiting_s=SPEECH.seconds_from(waiting),
            spooled_s=delivery.kept_s,
            lost_s=SPEECH.seconds_from(delivery.lost_samples),
            leftovers=delivery.leftovers,
            sent_bytes=sent,
            bytes_per_s=self._rate.feed(self._monotonic(), sent),
            recordings=delivery.recordings,
            latest=own.reporter.latest,
        )

    def _line(self, delivery: Delivery) -> LineState:
        if delivery.is_up:
            self._was_up = True
            return LineState.CONNECTED
        return LineState.LOST if self._was_up else LineState.CONNECTING

    @staticmethod
    def _silence(gate: AudioGate | None) -> float:
        if gate is None or gate.state is not GateState.PAUSE:
            return 0.0
        return SPEECH.seconds_from(gate.quiet_samples)
