"""How residuals become scores and flags; the defaults are one choice for all classes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalySettings:
    """Settings of the scoring.

    Attributes
    ----------
    window
        Readings whose signed residuals are averaged (causal). Noise cancels, a lasting deviation stays.
    min_readings
        Fewer readings of a tag than this since the last gap give no score.
    far
        Share of healthy readings whose score may exceed the threshold.
    on_ratio, off_ratio
        Hysteresis: the flag wants scores above ``on_ratio`` × threshold, and goes below ``off_ratio`` ×.
    persist, of_last
        So many of the last so many readings must be beyond before the flag changes.
    gap_periods
        A pause of more than this many sample periods starts the smoothing anew.
    """

    window: int = 15
    min_readings: int = 5
    far: float = 0.005
    on_ratio: float = 1.3
    off_ratio: float = 0.8
    persist: int = 4
    of_last: int = 5
    gap_periods: float = 10.0

    def __post_init__(self) -> None:
        if not 1 <= self.min_readings <= self.window:
            raise ValueError(f"min_readings must lie within 1 and window ({self.window}), not {self.min_readings}")
        if not self.of_last < 2 * self.persist <= 2 * self.of_last:
            raise ValueError(f"persist must be a majority of of_last: {self.persist} of {self.of_last}")
        if not 0.0 < self.far < 0.05 or not 0.0 < self.off_ratio <= self.on_ratio or self.gap_periods <= 1.0:
            raise ValueError(f"need 0 < far < 0.05, 0 < off_ratio <= on_ratio and gap_periods > 1: {self}")

    @property
    def history(self) -> int:
        """Earlier readings that must be remembered of each asset."""
        return max(self.window, self.of_last) - 1
