"""The `plugandtell gate` command."""

import shutil
import sys
from dataclasses import asdict
from typing import Annotated

from cyclopts import Group, Parameter

from plugandtell.client.gate_options import GateOptions
from plugandtell.command import INPUT, RECORDING, check_range, new_app, with_examples
from plugandtell.core import exit_status
from plugandtell.core.exit_status import ExitStatus
from plugandtell.core.pace import Pace

OUTPUT = Group("Output", sort_key=7)
_SILENCE = "Seconds of silence that end a recording, as at the server."

app = new_app(
    "gate",
    "Show what the gate does with an audio file, to tune it for a room and a microphone.",
    ["client", "server"],
    exit_status.GATE,
    strict=False,
)
app.help_epilogue = with_examples(
    app.help_epilogue,
    "plugandtell gate room.wav",
    "plugandtell gate room.wav --vad webrtc --voice-on 0.6",
    "plugandtell gate room.wav --json",
)


@app.default
def gate(
    file: Annotated[str, Parameter(group=INPUT, help="An audio file of any format and rate.")],
    *,
    options: GateOptions | None = None,
    silence: Annotated[float, Parameter(group=RECORDING, help=_SILENCE)] = 3.0,
    json: Annotated[bool, Parameter(group=OUTPUT, negative=(), help="Print all figures as JSON instead.")] = False,
    row: Annotated[float, Parameter(group=OUTPUT, help="Most seconds in one row of the picture.")] = 60.0,
) -> int:
    """Show what the gate does with an audio file, to tune it for a room and a microphone.

    From top to bottom, the picture shows the time, the level from -60 dBFS to full scale, the detector's probability of
    voice, the evidence of it (a full block opens the gate), and the recordings that a server would make. A table of the
    recordings follows; its column "proof" is the strongest evidence in each, from 100 % on.
    """
    check_range("--silence", silence, 0.2, 3600)
    check_range("--row", row, 1, 86_400)
    return _show(file, options or GateOptions(), silence, json=json, row_s=row)


def _show(file: str, options: GateOptions, silence_s: float, *, json: bool, row_s: float) -> int:
    # Imported here to keep --help fast.
    import asyncio  # noqa: PLC0415

    from plugandtell.client.detector import choose_detector  # noqa: PLC0415
    from plugandtell.client.file_source import FileSource  # noqa: PLC0415
    from plugandtell.client.gate_picture import as_json, picture, table  # noqa: PLC0415
    from plugandtell.client.gate_report import GateReport, report_on  # noqa: PLC0415

    choice = choose_detector(options.vad)
    if choice.missing is not None:
        sys.stderr.write(f"{choice.missing}; {choice.name} stands in for it\n")
    settings = options.settings(choice.detector.frame_samples, round(silence_s * 1000))

    async def judge() -> GateReport:
        source = FileSource(file, Pace.FAST)
        await source.open()
        try:
            return await report_on(source.chunks(), choice.detector, settings)
        finally:
            await source.close()

    report = asyncio.run(judge())
    if json:
        head = {"file": file, "detector": choice.name, "settings": asdict(options) | {"silence": silence_s}}
        shown = as_json(report, head)
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        shown = f"{picture(report, width, row_s)}\n\n{table(report)}"
    sys.stdout.write(f"{shown}\n")
    return ExitStatus.OK
