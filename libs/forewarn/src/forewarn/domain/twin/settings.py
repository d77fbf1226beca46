"""How the twin learns; the defaults fit any class, nothing here is meant to be tuned per data set."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinSettings:
    """Settings of learning and judging.

    Attributes
    ----------
    baseline_readings
        Usable healthy readings to learn from; None takes the class's number.
    folds
        Contiguous blocks that are left out in turn. Neighbouring readings are alike: random folds would
        make the residuals of the baseline look far too small.
    penalties
        Ridge penalties to choose from, relative to the number of readings.
    memory_rows
        Healthy readings the kernel regression keeps at most.
    wander_limit
        Largest wander ratio (see ``statistics.wander_ratio``) of what the drivers leave unexplained of a tag.
    max_missing
        Largest share of unknown values of a tag that can be learned.
    pending_factor
        Readings held back while learning, as a multiple of the baseline: a machine that seldom runs
        must not fill the memory.
    """

    baseline_readings: int | None = None
    folds: int = 10
    penalties: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
    memory_rows: int = 500
    wander_limit: float = 20.0
    max_missing: float = 0.2
    pending_factor: int = 4

    def __post_init__(self) -> None:
        if self.baseline_readings is not None and self.baseline_readings < MIN_BASELINE:
            raise ValueError(f"baseline_readings must be at least {MIN_BASELINE}, not {self.baseline_readings}")
        if self.folds < 2 or self.pending_factor < 1 or self.memory_rows < MIN_BASELINE or not self.penalties:
            raise ValueError(f"need two folds, a penalty, room for the baseline and {MIN_BASELINE} rows: {self}")


#: Fewer complete readings than this fit nothing.
MIN_BASELINE = 50
