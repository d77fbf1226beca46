"""Input and output of the guard."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.guard_rules import Cause
from forewarn.contracts.readings import RejectionReason
from forewarn.domain.frames.frame import FloatArray, Frame, Strings
from forewarn.domain.guard.state import GuardState

#: Rated values of assets, by asset id; fields not given have the class's default.
Nameplates = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RawBatch:
    """Decoded readings of one asset class, in the order of the broker."""

    asset_class: AssetClass  #: Class of every asset of the batch.
    assets: Strings  #: Asset of each row; none may be missing.
    ts: NDArray[np.int64]  #: Event time [µs since 1970 UTC], shape (n,), int64.
    #: Time the broker received the message [µs since 1970 UTC], shape (n,), int64. Event times are judged against it,
    #: not against a clock, so that a replay gives the same verdicts.
    received_at: NDArray[np.int64]
    seq: NDArray[np.int64]  #: The gateway's counter, shape (n,), int64; ``frame.MISSING`` without one.
    values: FloatArray  #: Shape (n, tags) in the class's order and units; NaN where the reading has no such tag.
    #: OPC UA status code from the gateway, shape (n, tags), uint32; 0 (good) without one.
    gateway_quality: NDArray[np.uint32]
    #: The reading is from a historian and may have any age, bool, shape (n,) or () for all alike.
    historical: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((), dtype=np.bool_))

    def __post_init__(self) -> None:
        rows, tags = self.ts.shape[0], len(self.asset_class.tags)
        if self.historical.ndim == 0:
            object.__setattr__(self, "historical", np.broadcast_to(self.historical, (rows,)))
        shapes = {
            "assets": (self.assets.codes.shape, (rows,)),
            "received_at": (self.received_at.shape, (rows,)),
            "seq": (self.seq.shape, (rows,)),
            "historical": (self.historical.shape, (rows,)),
            "values": (self.values.shape, (rows, tags)),
            "gateway_quality": (self.gateway_quality.shape, (rows, tags)),
        }
        wrong = [f"{name} has shape {have}, expected {want}" for name, (have, want) in shapes.items() if have != want]
        if wrong:
            raise ValueError(f"batch of {self.asset_class.name}: {'; '.join(wrong)}")
        if rows and self.assets.codes.min() < 0:
            raise ValueError(f"batch of {self.asset_class.name}: a row names no asset")

    @property
    def rows(self) -> int:
        """Return the number of readings."""
        return int(self.ts.shape[0])

    def take(self, rows: NDArray[np.intp] | slice) -> "RawBatch":
        """Select rows, in this order."""
        return RawBatch(
            asset_class=self.asset_class,
            assets=Strings(self.assets.codes[rows], self.assets.categories),
            ts=self.ts[rows],
            received_at=self.received_at[rows],
            seq=self.seq[rows],
            values=self.values[rows],
            gateway_quality=self.gateway_quality[rows],
            historical=self.historical[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """How strict the guard is."""

    strict: bool = False  #: Refuse readings that would pass with a warning.
    #: Accept window of event times around the time of receipt [s]. Historical readings may be older.
    max_age_s: float = 7 * 86_400.0
    max_ahead_s: float = 600.0

    def __post_init__(self) -> None:
        if self.max_age_s <= 0 or self.max_ahead_s < 0:
            raise ValueError(f"accept window must span a time: -{self.max_age_s} s … +{self.max_ahead_s} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why one row was refused: the guard's part of ``contracts.readings.RejectedReading``, and more."""

    row: int
    reason: RejectionReason
    rule: str | None
    cause: Cause  #: The probable cause.
    #: Columns that led to the refusal with their values as sent or computed; None where unknown.
    values: Mapping[str, float | None]
    explanation: str
    recommendation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardCounters:
    """Fates of the rows of a batch; ``late`` ones are also accepted, warned or rejected."""

    accepted: int = 0
    warned: int = 0
    rejected: int = 0
    duplicate: int = 0
    late: int = 0

    def __add__(self, other: "GuardCounters") -> "GuardCounters":
        return GuardCounters(
            accepted=self.accepted + other.accepted,
            warned=self.warned + other.warned,
            rejected=self.rejected + other.rejected,
            duplicate=self.duplicate + other.duplicate,
            late=self.late + other.late,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GuardResult:
    """Verdicts on a batch."""

    frame: Frame  #: Accepted and warned rows as a frame of kind VALID, in the order of the batch.
    rows: NDArray[np.intp]  #: Row of the batch for each row of the frame.
    rejections: tuple[Rejection, ...]  #: Refused rows, in the order of the batch. Duplicates are in neither.
    state: GuardState  #: State for the next batch; the given state is unchanged.
    counters: GuardCounters = field(default_factory=GuardCounters)
