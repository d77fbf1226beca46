"""Settings of the alerting service."""

from forewarn.runtime.event_service import EventServiceSettings


class AlertingSettings(EventServiceSettings):
    """What the alerting service reads from the environment; the rules stand in the catalogue."""
