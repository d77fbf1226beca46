"""Settings of the validator."""

from pydantic import Field

from forewarn.runtime.frame_config import FrameServiceSettings


class ValidatorSettings(FrameServiceSettings):
    """What the validator reads from the environment.

    It sets the pace of the stages behind it: its transactions are their portions.
    """

    frame_linger_s: float = Field(default=0.05, ge=0, le=5, description="Wait for more after a turn's first record.")
    frame_crowded_linger_s: float = Field(default=0.2, ge=0, le=5, description="The same after a turn of thousands.")
    frame_idle_linger_s: float = Field(default=0.1, ge=0, le=5, description="Least time from turn to turn while idle.")
    physics_strict_mode: bool = Field(default=False, description="Refuse what would pass with warnings.")
    max_reading_age_s: float = Field(default=7 * 86_400.0, gt=0, description="Older readings are refused.")
    max_reading_ahead_s: float = Field(default=600.0, ge=0, description="Readings further in the future are refused.")
