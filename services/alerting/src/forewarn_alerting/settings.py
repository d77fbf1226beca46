"""Settings of the alerting service."""

from forewarn.runtime.event_service import EventServiceSettings


class AlertingSettings(EventServiceSettings):
    """Settings of the alerting service; its rules are in the catalogue."""
