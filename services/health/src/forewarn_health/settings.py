"""Settings of the health service."""

from pydantic import Field

from forewarn.runtime.event_service import EventServiceSettings


class HealthSettings(EventServiceSettings):
    """Settings of the health service."""

    checkpoint_interval_s: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="Time between checkpoints of the state, which changes with every reading of every asset.",
    )
    health_min_interval_s: float = Field(
        default=1.0, gt=0, le=60, description="Shortest interval between an asset's events."
    )
    health_forecast_interval_s: float = Field(
        default=60.0,
        ge=0,
        le=86_400,
        description="Shortest interval between an asset's forecasts, however fast its event time runs.",
    )
    health_refresh_s: float = Field(
        default=60.0,
        gt=0,
        le=3600,
        description="Longest interval between events of an asset that sends readings, even if nothing changed.",
    )
