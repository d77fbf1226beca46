"""Settings of the validator."""

from pydantic import Field

from forewarn.runtime.frame_config import FrameServiceSettings


class ValidatorSettings(FrameServiceSettings):
    """Settings of the validator.

    It sets the pace of the stages downstream: its transactions are their batches.
    """

    frame_linger_s: float = Field(
        default=0.05, ge=0, le=5, description="How long to wait for more after a turn's first record."
    )
    frame_crowded_linger_s: float = Field(
        default=0.2, ge=0, le=5, description="The same after a turn of thousands of records."
    )
    frame_idle_linger_s: float = Field(default=0.1, ge=0, le=5, description="Shortest time between turns at low load.")
    physics_strict_mode: bool = Field(default=False, description="Reject readings that would pass with warnings.")
    max_reading_age_s: float = Field(default=7 * 86_400.0, gt=0, description="Older readings are rejected.")
    max_reading_ahead_s: float = Field(default=600.0, ge=0, description="Readings further in the future are rejected.")
