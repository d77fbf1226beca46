"""How residuals become scores and flags; the defaults are one choice for all classes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalySettings:
    """Settings of the scoring."""

    #: Readings whose signed residuals are averaged (causal). Noise cancels, a lasting deviation stays.
    window: int = 15
    jump_window: int = 3  #: Readings over which sudden changes are averaged; 0 ignores changes.
    min_readings: int = 5  #: Fewer readings of a tag than this since the last gap give no score.
    far: float = 0.01  #: Share of healthy readings that may be flagged, persistence included.
    #: Hysteresis: the flag goes on above ``on_ratio`` × threshold and off below ``off_ratio`` ×.
    on_ratio: float = 1.2
    off_ratio: float = 0.8
    #: This many of the last so many readings must agree before the flag changes.
    persist: int = 2
    of_last: int = 3
    gap_periods: float = 10.0  #: A pause of more than this many sample periods restarts the smoothing.
    #: Contiguous blocks of the baseline: a score's distribution is learned without the block it is applied to, and the
    #: flag is calibrated on how much the blocks differ.
    folds: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.min_readings <= self.window or not 0 <= self.jump_window <= self.window:
            raise ValueError(f"min_readings and jump_window must lie within the window: {self}")
        if not self.of_last < 2 * self.persist <= 2 * self.of_last:
            raise ValueError(f"persist must be a majority of of_last: {self.persist} of {self.of_last}")
        if not 0.0 < self.far < 0.2 or not 0.0 < self.off_ratio <= self.on_ratio or self.gap_periods <= 1.0:
            raise ValueError(f"need 0 < far < 0.2, 0 < off_ratio <= on_ratio and gap_periods > 1: {self}")
        if self.folds < 2:
            raise ValueError(f"need at least two folds, not {self.folds}")

    @property
    def history(self) -> int:
        """Return how many earlier readings of each asset must be remembered."""
        return max(self.window, self.of_last) - 1

    @classmethod
    def for_independent_rows(cls, far: float) -> "AnomalySettings":
        """Return settings for rows without order: neither smoothing nor persistence."""
        return cls(
            window=1,
            jump_window=0,
            min_readings=1,
            far=far,
            on_ratio=1.0,
            off_ratio=1.0,
            persist=1,
            of_last=1,
            folds=20,
        )
