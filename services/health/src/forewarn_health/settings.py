"""Settings of the health service."""

from pydantic import Field

from forewarn.runtime.event_service import EventServiceSettings


class HealthSettings(EventServiceSettings):
    """What the health service reads from the environment."""

    checkpoint_interval_s: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="Time between checkpoints of the state, which changes with every reading of every asset.",
    )
    health_min_interval_s: float = Field(default=1.0, gt=0, le=60, description="An asset's events are not closer.")
    health_forecast_interval_s: float = Field(
        default=60.0,
        ge=0,
        le=86_400,
        description="Forecasts of an asset are not made more often, however fast its event time runs.",
    )
    health_refresh_s: float = Field(
        default=60.0, gt=0, le=3600, description="An asset that sends readings is published this often, changed or not."
    )
