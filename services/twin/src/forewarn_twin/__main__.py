"""Composition root of the twin: ``python -m forewarn_twin``."""

import threading

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.topics import TopicName
from forewarn.domain.twin.settings import TwinSettings
from forewarn.runtime.frame_config import FrameLoopConfig
from forewarn.runtime.frame_service import serve_lanes
from forewarn.runtime.service import run_service
from forewarn_twin.lane import TwinLanes
from forewarn_twin.settings import TwinServiceSettings


def main(settings: TwinServiceSettings, stop: threading.Event) -> None:
    """Compare machines with their twins until ``stop`` is set."""
    config = FrameLoopConfig(
        settings=settings,
        service="twin",
        source=TopicName.READINGS_VALID,
        checkpoint=TopicName.TWIN_CHECKPOINT,
    )
    twin = TwinSettings(baseline_readings=settings.baseline_readings)
    serve_lanes(config, TwinLanes(load_catalogue(settings.catalogue_path), twin), stop)


if __name__ == "__main__":
    run_service("twin", TwinServiceSettings, main)
