"""What a client still has to tell: runs of audio, positions and the end, in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugandtell.core.protocol.messages import End, Position
from plugandtell.core.store import Stretch

if TYPE_CHECKING:
    from plugandtell.core.ranges import Range


@dataclass(slots=True)
class _Run:
    """Contiguous audio in the store that is not acknowledged yet, from sample `start` to before `end`."""

    start: int
    end: int


class Backlog:
    """A queue that starts at the oldest sample that is not acknowledged, and a place in it: the present connection's.

    Attributes:
        unacknowledged_samples: Audio in it.
        known_to: The furthest that was ever in it.
        is_over: Whether the end is in it.
    """

    def __init__(self) -> None:
        self.unacknowledged_samples = 0
        self.known_to = 0
        self.is_over = False
        self._items: deque[_Run | Position | End] = deque()
        self._place = 0
        self._sent_to = 0

    @property
    def is_told(self) -> bool:
        """Whether everything, the end included, was told on this connection."""
        return self.is_over and self._place == len(self._items)

    def put(self, item: Stretch | Position | End) -> None:
        """Put something behind all that is in it. A position takes the place of one right before it."""
        last = self._items[-1] if self._items else None
        match item:
            case Stretch(start, end):
                self.unacknowledged_samples += end - start
                self.known_to = max(self.known_to, end)
                if isinstance(last, _Run) and last.end == start:
                    last.end = end
                else:
                    self._items.append(_Run(start, end))
            case Position(index) | End(index):
                if isinstance(item, End):
                    self.is_over = True
                elif isinstance(last, Position):
                    self._items.pop()
                    self._place = min(self._place, len(self._items))
                self.known_to = max(self.known_to, index)
                self._items.append(item)

    def begin(self) -> None:
        """A new connection: everything is to be told again."""
        self._place = 0
        self._sent_to = 0

    def due(self, batch_samples: int, longest_samples: int) -> Range | Position | End | None:
        """What is to be told next, or None if nothing is yet.

        Of audio, as much as a message holds; less than a batch only if more of the same can no longer come.
        """
        while self._place < len(self._items):
            item = self._items[self._place]
            if not isinstance(item, _Run):
                return item
            start = max(item.start, self._sent_to)
            waiting = item.end - start
            still_grows = item is self._items[-1]
            if waiting > 0 and (waiting >= batch_samples or not still_grows):
                return start, start + min(waiting, longest_samples)
            if still_grows:
                return None
            self._place += 1
        return None

    def tell_to(self, index: int) -> None:
        """Audio that was due was told, up to this sample."""
        self._sent_to = index

    def tell(self) -> None:
        """What was due was told, and was no audio."""
        self._place += 1

    def acknowledge(self, stored_to: int) -> None:
        """Forget what the server has.

        A position is forgotten with the audio behind it: until then it may still have to end a segment, or to say
        what was hangover.
        """
        while self._items:
            place = next((place for place, item in enumerate(self._items) if isinstance(item, _Run)), 0)
            run = self._items[place]
            if not isinstance(run, _Run) or run.start >= stored_to:
                return
            for _ in range(place):
                self._forget_first()
            self.unacknowledged_samples -= min(run.end, stored_to) - run.start
            run.start = stored_to
            if run.start >= run.end:
                self._forget_first()

    def lose(self, start: int, end: int) -> list[Range]:
        """Take audio out; returns what was in it."""
        before, self._items = self._items, deque()
        place = None
        lost: list[Range] = []
        for number, item in enumerate(before):
            if isinstance(item, Position):
                self._drop_middle_position()
            if number == self._place:
                place = len(self._items)
            if isinstance(item, _Run) and max(item.start, start) < min(item.end, end):
                lost.append((max(item.start, start), min(item.end, end)))
                parts = (_Run(item.start, lost[-1][0]), _Run(lost[-1][1], item.end))
                self._items.extend(part for part in parts if part.start < part.end)
            else:
                self._items.append(item)
        self._place = len(self._items) if place is None else place
        self.unacknowledged_samples -= sum(last - first for first, last in lost)
        return lost

    def _forget_first(self) -> None:
        self._items.popleft()
        self._place = max(0, self._place - 1)

    def _drop_middle_position(self) -> None:
        """Of positions with nothing left between them, the first may still end a segment, and the last tells the time.

        This makes room for the last.
        """
        items = self._items
        if len(items) > 1 and isinstance(items[-1], Position) and isinstance(items[-2], Position):
            items.pop()
