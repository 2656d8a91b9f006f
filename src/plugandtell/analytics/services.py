"""Which service does which stage. Each is imported where it is made: in a child of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from plugandtell.core.call import Stage
from plugandtell.core.errors import EngineUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from plugandtell.analytics.service import Service
    from plugandtell.analytics.settings import EngineSettings

_STAGES: Final = "plugandtell.analytics.stages"
_CLASSES: Final = {
    Stage.TRANSCRIPTION: "Transcription",
    Stage.FEATURES: "FeatureExtraction",
    Stage.SENTIMENT: "SentimentAnalysis",
    Stage.INTENT: "IntentClassification",
}
"""Each is in the module of `stages` that is called as the stage."""


@dataclass(frozen=True, slots=True)
class ServiceFactory:
    """Makes services; goes to the children of a pool.

    Attributes:
        settings: What does the work.
        data_dir: Where models are kept.
    """

    settings: EngineSettings
    data_dir: Path

    def __call__(self, stage: Stage) -> Service:
        """The service of that stage; see `make_service`."""
        return make_service(stage, self.settings, self.data_dir)


def make_service(stage: Stage, settings: EngineSettings, data_dir: Path) -> Service:
    """Make the service of a stage, with its models loaded.

    Raises:
        EngineUnavailable: A package or a model that it needs is not there.
    """
    try:
        service: Service = getattr(import_module(f"{_STAGES}.{stage.value}"), _CLASSES[stage])(settings, data_dir)
    except ModuleNotFoundError as exc:
        hint = "install it with `pip install 'plugandtell[analytics]'`"
        raise EngineUnavailable(stage.value, f"the package {exc.name} is missing", hint) from exc
    return service
