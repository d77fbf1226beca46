"""Settings of the twin."""

from pydantic import Field

from forewarn.domain.twin.settings import MIN_BASELINE
from forewarn.runtime.frame_config import FrameServiceSettings


class TwinServiceSettings(FrameServiceSettings):
    """Settings of the twin."""

    baseline_readings: int | None = Field(
        default=None, ge=MIN_BASELINE, description="Healthy readings to learn from; by default the asset class decides."
    )
