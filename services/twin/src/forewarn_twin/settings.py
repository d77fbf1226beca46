"""Settings of the twin."""

from pydantic import Field

from forewarn.domain.twin.settings import MIN_BASELINE
from forewarn.runtime.frame_config import FrameServiceSettings


class TwinServiceSettings(FrameServiceSettings):
    """What the twin reads from the environment."""

    baseline_readings: int | None = Field(
        default=None, ge=MIN_BASELINE, description="Healthy readings to learn from; the class's number if unset."
    )
