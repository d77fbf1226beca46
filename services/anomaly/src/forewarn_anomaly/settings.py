"""Settings of the anomaly stage."""

from pydantic import Field, field_validator

from forewarn.adapters.detectors.registry import parse_members
from forewarn.runtime.frame_config import FrameServiceSettings


class AnomalyServiceSettings(FrameServiceSettings):
    """Settings of the anomaly stage."""

    false_alarm_rate: float = Field(
        default=0.01, gt=0, lt=0.2, description="Share of healthy readings that may be flagged, with persistence."
    )
    anomaly_members: str = Field(
        default="residual", description="Detectors beside the residual score, as in residual,hbos,half_space_trees."
    )

    @field_validator("anomaly_members")
    @classmethod
    def _members_are_known(cls, text: str) -> str:
        parse_members(text)
        return text
