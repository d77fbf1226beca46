"""Composition root of the validator: ``python -m forewarn_validator``."""

import threading

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.adapters.kafka.config import group_id
from forewarn.adapters.kafka.registry import REGISTRY_READER, AssetRegistry
from forewarn.contracts.topics import TopicName
from forewarn.domain.guard.batch import GuardSettings
from forewarn.runtime.frame_config import FrameLoopConfig
from forewarn.runtime.frame_service import serve_lanes
from forewarn.runtime.service import run_service
from forewarn_validator.lane import ValidatorLanes
from forewarn_validator.removals import Removals
from forewarn_validator.settings import ValidatorSettings

_REGISTRY_PATIENCE_S = 60.0
_FETCH_MIN_BYTES = 16_384  # about a hundred readings


def main(settings: ValidatorSettings, stop: threading.Event) -> None:
    """Validate readings until ``stop`` is set."""
    catalogue = load_catalogue(settings.catalogue_path)
    registry = AssetRegistry(
        settings.kafka_bootstrap_servers,
        settings.kafka_topic_prefix,
        client_id=f"forewarn.validator.{settings.service_instance}.assets",
        commits_as=group_id(REGISTRY_READER, settings.kafka_topic_prefix),
    )
    registry.wait_until_loaded(_REGISTRY_PATIENCE_S)
    guard = GuardSettings(
        strict=settings.physics_strict_mode,
        max_age_s=settings.max_reading_age_s,
        max_ahead_s=settings.max_reading_ahead_s,
    )
    lanes = ValidatorLanes(
        catalogue,
        find_asset=registry.get,
        settings=guard,
        is_gone=Removals(registry, SystemClock()).are_true,
    )
    try:
        config = FrameLoopConfig(
            settings=settings,
            service="validator",
            source=TopicName.READINGS_RAW,
            checkpoint=TopicName.VALIDATOR_CHECKPOINT,
            fetch_min_bytes=_FETCH_MIN_BYTES,
        )
        serve_lanes(config, lanes, stop)
    finally:
        registry.close()


if __name__ == "__main__":
    run_service("validator", ValidatorSettings, main)
