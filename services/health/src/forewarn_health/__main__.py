"""Composition root of the health service: ``python -m forewarn_health``."""

import threading
from typing import Final

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.forecasting.statsmodels_methods import StatsmodelsForecaster
from forewarn.adapters.kafka.registry import AssetRegistry
from forewarn.contracts.topics import TOPIC_USE
from forewarn.runtime.event_service import EventContext, EventService, serve_events
from forewarn.runtime.service import run_service
from forewarn_health.app import GATHER_S, HealthLogic
from forewarn_health.foresight import Foresight
from forewarn_health.pacing import Pacing
from forewarn_health.profiles import Profiles
from forewarn_health.settings import HealthSettings
from forewarn_health.state import AssetState

_REGISTRY_PATIENCE_S: Final = 60.0


def main(settings: HealthSettings, stop: threading.Event) -> None:
    """Judge health until ``stop`` is set."""
    catalogue = load_catalogue(settings.catalogue_path)
    registry = AssetRegistry(
        settings.kafka_bootstrap_servers,
        settings.kafka_topic_prefix,
        client_id=f"forewarn.health.{settings.service_instance}.assets",
    )

    foresight = Foresight(StatsmodelsForecaster(), catalogue, settings.health_forecast_interval_s)

    def logic(context: EventContext[AssetState]) -> HealthLogic:
        pacing = Pacing(settings.health_min_interval_s, settings.health_refresh_s)
        return HealthLogic(context, catalogue, Profiles(registry.get), pacing, foresight)

    service = EventService(
        name="health",
        state=AssetState,
        gather_s=GATHER_S,
        topics=TOPIC_USE["health"],
        logic=logic,
    )
    try:
        registry.wait_until_loaded(_REGISTRY_PATIENCE_S)
        serve_events(settings, stop, service)
    finally:
        registry.close()
        foresight.close()


if __name__ == "__main__":
    run_service("health", HealthSettings, main)
