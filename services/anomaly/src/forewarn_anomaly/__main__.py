"""Composition root of the anomaly stage: ``python -m forewarn_anomaly``."""

import threading

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.detectors.registry import parse_members
from forewarn.contracts.topics import TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.runtime.frame_config import FrameLoopConfig
from forewarn.runtime.frame_service import serve_lanes
from forewarn.runtime.service import run_service
from forewarn_anomaly.lane import AnomalyConfig, AnomalyLanes
from forewarn_anomaly.settings import AnomalyServiceSettings


def main(settings: AnomalyServiceSettings, stop: threading.Event) -> None:
    """Score residuals until ``stop`` is set."""
    config = FrameLoopConfig(
        settings=settings,
        service="anomaly",
        source=TopicName.TWIN_STATES,
        checkpoint=TopicName.ANOMALY_CHECKPOINT,
    )
    scoring = AnomalyConfig(
        catalogue=load_catalogue(settings.catalogue_path),
        settings=AnomalySettings(far=settings.false_alarm_rate),
        members=parse_members(settings.anomaly_members),
    )
    serve_lanes(config, AnomalyLanes(scoring), stop)


if __name__ == "__main__":
    run_service("anomaly", AnomalyServiceSettings, main)
