"""Settings of the anomaly stage."""

from pydantic import Field

from forewarn.runtime.frame_service import FrameServiceSettings


class AnomalyServiceSettings(FrameServiceSettings):
    """What the anomaly stage reads from the environment."""

    false_alarm_rate: float = Field(
        default=0.005, gt=0, lt=0.05, description="Share of healthy readings whose score may exceed the threshold."
    )
