"""Settings of learning; the defaults fit any class and need no tuning per data set."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinSettings:
    """Settings of learning and judging."""

    baseline_readings: int | None = None  #: Usable healthy readings to learn from; None uses the class's number.
    #: Contiguous blocks left out in turn. Neighbouring readings are alike: random folds would make the residuals of the
    #: baseline far too small.
    folds: int = 10
    #: Ridge penalties to choose from, relative to the number of readings.
    penalties: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
    memory_rows: int = 500  #: Most healthy readings in the kernel regression's memory.
    #: Largest wander ratio (see ``statistics.wander_ratio``) of a tag's part unexplained by drivers.
    wander_limit: float = 20.0
    max_missing: float = 0.2  #: Largest share of unknown values of a learned tag.
    #: Most readings held while learning, as a multiple of the baseline: a machine that seldom runs must not fill the
    #: memory.
    pending_factor: int = 4

    def __post_init__(self) -> None:
        if self.baseline_readings is not None and self.baseline_readings < MIN_BASELINE:
            raise ValueError(f"baseline_readings must be at least {MIN_BASELINE}, not {self.baseline_readings}")
        if self.folds < 2 or self.pending_factor < 1 or self.memory_rows < MIN_BASELINE or not self.penalties:
            raise ValueError(f"need two folds, a penalty, room for the baseline and {MIN_BASELINE} rows: {self}")


#: Fewest complete readings for a fit.
MIN_BASELINE = 50
