"""Under which names the numbers of a server are shown. Whoever draws them relies on these: they stay as they are."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from plugandtell.core.audio import SPEECH
from plugandtell.core.exposition import Family, Kind, Sample
from plugandtell.core.metrics import LATE_S
from plugandtell.core.protocol.messages import EndReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugandtell.core.metrics import Counts, Levels, Metrics

_PREFIX = "plugandtell"


def families_of(metrics: Metrics, version: str) -> Iterator[Family]:
    """All of them; what is not known is left out."""
    counts, levels = metrics.counts, metrics.levels
    build = [Sample(1, {"version": version})]
    yield Family(f"{_PREFIX}_build_info", Kind.GAUGE, "The version that runs.", build)
    yield from _of_streams(levels)
    yield from _of_audio(counts)
    yield from _of_segments(counts)
    yield from _of_connections(counts)
    yield from _of_process(counts, levels)


def _of_streams(levels: Levels) -> Iterator[Family]:
    unsaved_s = SPEECH.seconds_from(levels.unsaved_samples)
    yield _gauge("streams_connected", "Streams whose client is connected.", levels.streams)
    yield _gauge("recordings_open", "Recordings that grow.", levels.recordings)
    yield _gauge("unsaved_seconds", "Recordings that ended and are not in place yet.", unsaved_s)


def _of_audio(counts: Counts) -> Iterator[Family]:
    recorded, duplicate, dropped = counts.recorded_samples, counts.duplicate_samples, counts.dropped_samples
    received_bytes = SPEECH.bytes_in(recorded + duplicate + dropped)
    yield _counter("messages_received", "Whole messages from clients, of any kind.", counts.messages)
    yield _counter(
        "audio_received_bytes", "Audio from clients, whether it was recorded, a duplicate or dropped.", received_bytes
    )
    yield _counter("recorded_seconds", "Audio written into recordings.", SPEECH.seconds_from(recorded))
    yield _counter("duplicate_samples", "Audio that came again, and was trimmed.", duplicate)
    yield _counter("dropped_samples", "Audio that belongs before the open recording, where all is saved.", dropped)
    yield _counter("acknowledgements", "Acknowledgements to clients.", counts.acks)


def _of_segments(counts: Counts) -> Iterator[Family]:
    reasons = [reason.value for reason in EndReason]

    def family(name: str, meaning: str, by_reason: Mapping[str, int]) -> Family:
        return _counter(name, meaning, {reason: by_reason.get(reason, 0) for reason in reasons}, "reason")

    yield family("segments_saved", "Recordings in place, by why they ended.", counts.saved)
    yield family("segments_discarded", "Segments without voice, by why they ended.", counts.discarded)
    yield family(
        "segment_save_failures", "Tries to put a recording into place that failed, by why it ended.", counts.not_saved
    )
    yield _counter("write_errors", "Times that audio could not be written.", counts.write_errors)


def _of_connections(counts: Counts) -> Iterator[Family]:
    meaning = "Connections turned away or ended by the server, by the code of the error."
    yield _counter("connections_accepted", "Connections, whatever became of them.", counts.accepted)
    yield _counter("connections_refused", meaning, counts.refused, "code")
    yield _counter("slow_readers_dropped", "Connections dropped as the client did not read.", counts.slow_readers)
    yield _counter("dead_connections_dropped", "Connections dropped as nobody answered.", counts.dead_connections)
    yield _counter("stream_resumes", "Streams that went on where they had been.", counts.resumes)


def _of_process(counts: Counts, levels: Levels) -> Iterator[Family]:
    yield _gauge("recording_processes", "Processes that record: one, or the workers that live.", levels.recorders)
    yield _counter("worker_deaths", "Workers that died, and were started again.", counts.worker_deaths)
    yield _lateness(counts)
    yield _counter("process_cpu_seconds", "Processor time of all processes of the server.", counts.cpu_s)
    if levels.resident_bytes:
        meaning = "Memory of all processes of the server; what they share counts for each."
        yield _gauge("process_resident_memory_bytes", meaning, levels.resident_bytes)
    if levels.started_at is not None:
        yield _gauge("process_start_time_seconds", "When the server started, since 1970.", levels.started_at)
    if levels.free_bytes is not None:
        yield _gauge("disk_free_bytes", "Room on the disk of the recordings.", levels.free_bytes)


def _lateness(counts: Counts) -> Family:
    bounds = [*map(str, LATE_S), "+Inf"]
    sums = list(accumulate(counts.late.get(bound, 0) for bound in bounds))
    samples = [Sample(number, {"le": bound}, "_bucket") for bound, number in zip(bounds, sums, strict=True)]
    samples += [Sample(counts.late_s, suffix="_sum"), Sample(sums[-1], suffix="_count")]
    meaning = "By how much the event loop was late, four times a second in each process that records."
    return Family(f"{_PREFIX}_event_loop_lateness_seconds", Kind.HISTOGRAM, meaning, samples)


def _gauge(name: str, meaning: str, value: float) -> Family:
    return Family(f"{_PREFIX}_{name}", Kind.GAUGE, meaning, [Sample(value)])


def _counter(name: str, meaning: str, value: float | Mapping[str, int], label: str = "") -> Family:
    full_name = f"{_PREFIX}_{name}_total"
    if isinstance(value, int | float):
        return Family(full_name, Kind.COUNTER, meaning, [Sample(value)])
    return Family(full_name, Kind.COUNTER, meaning, [Sample(number, {label: key}) for key, number in value.items()])
