"""How long audio takes from being sent to being in the file, from the load generator's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from benchmarks.ingest.pcm import HEADER_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RECORD = np.dtype([("what", "<u4"), ("stream", "<u4"), ("value", "<u8"), ("ns", "<u8")])
SENT, SEEN = 0, 1
_BYTES_PER_SAMPLE = 2


def read_log(path: Path) -> NDArray[np.void]:
    """The records that the generator wrote, in the order of time."""
    return np.fromfile(path, dtype=RECORD)


def latencies_us(log: NDArray[np.void], from_ns: int, to_ns: int) -> NDArray[np.float64]:
    """For each message that was sent in this time: how long until its last sample was in the file.

    The file was looked at whenever the kernel told that it had changed: a message counts as there from the first look
    at which the file was long enough. Infinite for one that never was.
    """
    found = [
        _of_stream(log[log["stream"] == stream], from_ns, to_ns)
        for stream in np.unique(log["stream"][log["what"] == SEEN])
    ]
    return np.concatenate(found) if found else np.empty(0)


def _of_stream(log: NDArray[np.void], from_ns: int, to_ns: int) -> NDArray[np.float64]:
    sent = log[(log["what"] == SENT) & (log["ns"] >= from_ns) & (log["ns"] < to_ns)]
    seen = log[log["what"] == SEEN]
    sizes = np.maximum.accumulate(seen["value"])
    first = np.searchsorted(sizes, HEADER_BYTES + _BYTES_PER_SAMPLE * sent["value"])
    times = np.append(seen["ns"].astype(np.float64), np.inf)
    taken: NDArray[np.float64] = (times[first] - sent["ns"]) / 1000
    return taken
