"""Composition root of the alerting service: ``python -m forewarn_alerting``."""

import threading

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.topics import TOPIC_USE
from forewarn.domain.alarms.asset import AssetAlarms
from forewarn.runtime.event_service import EventService, serve_events
from forewarn.runtime.service import run_service
from forewarn_alerting.app import GATHER_S, AlertingLogic
from forewarn_alerting.settings import AlertingSettings


def main(settings: AlertingSettings, stop: threading.Event) -> None:
    """Raise, acknowledge and clear alarms until ``stop`` is set."""
    catalogue = load_catalogue(settings.catalogue_path)
    service = EventService(
        name="alerting",
        state=AssetAlarms,
        gather_s=GATHER_S,
        topics=TOPIC_USE["alerting"],
        logic=lambda context: AlertingLogic(context, catalogue),
    )
    serve_events(settings, stop, service)


if __name__ == "__main__":
    run_service("alerting", AlertingSettings, main)
