"""Drift of the process: a lasting, settled change of how a machine runs, as opposed to a fault that grows.

While an asset is flagged its residuals are sampled in event time. A change counts as settled when

* several tags moved together (a faulty sensor moves alone),
* it came quickly and has stayed much longer than it took to come, and
* since then nothing moved by more than a share of the change itself.

All three are scale-free: a fault that grows for an hour or a month, linearly or faster, has visibly grown further once
it has been flagged for four times as long as it took to be flagged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.base import OpaqueBytes
from forewarn.contracts.frames import residual_column
from forewarn.domain.frames.arrivals import Arrivals
from forewarn.domain.frames.frame import FloatArray, Frame

#: Shortest time between two samples.
SLOT_S: Final = 600

#: Fewest samples of a settled change (4 h at ``SLOT_S``), and most samples kept.
MIN_SAMPLES: Final = 24
MAX_SAMPLES: Final = 64

#: Anomaly scores below are normal: about half the magnitude that is flagged.
LIKE_ITSELF: Final = 30.0

#: A change must have lasted this many times as long as it took from normal to flagged.
STAYS: Final = 4.0

#: A tag moved if its median residual exceeds this many healthy standard deviations, and this share of the largest one.
MOVED_SD: Final = 2.0
MOVED_SHARE: Final = 0.25
SEVERAL: Final = 2

#: Share of the change by which quarters of the time may differ for it to settle, and to stay settled.
SETTLES: Final = 0.25
UNSETTLES: Final = 0.4

_QUARTERS: Final = 4
_SLOT_US: Final = SLOT_S * 1_000_000
_STORED: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Samples of an asset since it was first seen flagged.

    ``residuals`` holds those of ``tags``, sample by sample: little-endian 32-bit floats, NaN where unknown. Samples are
    at least ``stride`` slots apart. ``shifts`` are the median residuals of the tags that moved, the farthest first;
    empty unless the change is settled.
    """

    tags: tuple[str, ...]
    times_us: tuple[int, ...]
    residuals: OpaqueBytes
    stride: int = 1
    shifts: Mapping[str, float] = field(default_factory=dict)

    @property
    def table(self) -> FloatArray:
        """Return residuals in healthy standard deviations, shape (samples, tags)."""
        return np.frombuffer(self.residuals, dtype=_STORED).reshape(-1, len(self.tags)).astype(np.float64)

    @property
    def lasted_us(self) -> int:
        """Return the event time that the samples cover."""
        return self.times_us[-1] - self.times_us[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftState:
    """Drift state of one asset; times are event times in µs since 1970 UTC.

    ``like_itself_us`` is the newest sample with a low score; None before one, when it is unknown how fast the change
    came.
    """

    model_version: int
    sampled_us: int
    like_itself_us: int | None = None
    departure: Departure | None = None


def observe_drift(before: Sequence[DriftState | None], frame: Frame, arrivals: Arrivals) -> list[DriftState | None]:
    """Sample rows of ``anomaly.scores``; ``before`` has the state of each of the arrivals' assets.

    The first row of a slot of event time is its sample, so the result does not depend on how rows are cut.
    """
    after = list(before)
    slots = frame.arrays["ts"][arrivals.rows] // _SLOT_US
    begins = np.ones(slots.shape, dtype=np.bool_)
    begins[1:] = slots[1:] != slots[:-1]
    firsts = arrivals.starts[:-1]
    last = np.array([-1 if state is None else state.sampled_us // _SLOT_US for state in before], dtype=np.int64)
    begins[firsts] = slots[firsts] != last
    chosen = np.flatnonzero(begins)
    owners = np.searchsorted(arrivals.starts, chosen, side="right") - 1
    for owner, row in zip(owners.tolist(), arrivals.rows[chosen].tolist(), strict=True):
        after[owner] = _sample(after[owner], frame, row)
    return after


def _sample(state: DriftState | None, frame: Frame, row: int) -> DriftState:
    time_us = int(frame.arrays["ts"][row])
    version = int(frame.arrays["model_version"][row])
    score = float(frame.arrays["score"][row])
    if state is None or state.model_version != version:  # another twin: earlier samples are useless
        state = DriftState(model_version=version, sampled_us=time_us)
    if score < LIKE_ITSELF:
        return DriftState(model_version=version, sampled_us=time_us, like_itself_us=time_us)
    departure = state.departure
    tags = frame.asset_class.twin.responses
    if departure is not None and departure.tags != tags:  # a newer version of the class
        departure = None
    begun = departure is not None or bool(frame.arrays["flag"][row])
    if begun and np.isfinite(score):
        departure = _extended(departure, frame, row, state.like_itself_us)
    return replace(state, sampled_us=time_us, departure=departure)


def _extended(departure: Departure | None, frame: Frame, row: int, like_itself_us: int | None) -> Departure:
    """Add a sample if it is due; drop every other one when there are too many."""
    tags, time_us = frame.asset_class.twin.responses, int(frame.arrays["ts"][row])
    if departure is None:
        departure = Departure(tags=tags, times_us=(), residuals=b"")
    width_us = departure.stride * _SLOT_US
    if departure.times_us and time_us // width_us == departure.times_us[-1] // width_us:
        return departure
    sample = np.array([frame.arrays[residual_column(tag)][row] for tag in tags], dtype=_STORED)
    times, residuals, stride = (*departure.times_us, time_us), departure.residuals + sample.tobytes(), departure.stride
    if len(times) > MAX_SAMPLES:
        table = np.frombuffer(residuals, dtype=_STORED).reshape(-1, len(tags))
        times, residuals = times[::2], table[::2].tobytes()
        # rows may be farther apart than a slot: without their distance newer samples would stay denser than older ones
        stride = max(2 * stride, int(np.median(np.diff(times))) // _SLOT_US)
    longer = Departure(tags=tags, times_us=times, residuals=residuals, stride=stride)
    within = UNSETTLES if departure.shifts else SETTLES
    return replace(longer, shifts=_settled(longer, like_itself_us, within))


def _settled(departure: Departure, like_itself_us: int | None, within: float) -> dict[str, float]:
    """Return the shift of each tag that moved if the change is settled; otherwise nothing."""
    if like_itself_us is None or len(departure.times_us) < MIN_SAMPLES:
        return {}
    if departure.lasted_us < STAYS * (departure.times_us[0] - like_itself_us):
        return {}
    table = departure.table
    quarters = np.array_split(table, _QUARTERS)
    known = np.all([2 * np.isfinite(part).sum(axis=0) > len(part) for part in quarters], axis=0)
    if not known.any():
        return {}
    shift = np.nanmedian(table[:, known], axis=0)
    moved = np.abs(shift) >= max(MOVED_SD, MOVED_SHARE * float(np.abs(shift).max()))
    medians = np.array([np.nanmedian(part[:, known], axis=0) for part in quarters])
    if moved.sum() < SEVERAL or _wanders(medians, shift) > within:
        return {}
    names = [tag for tag, is_known in zip(departure.tags, known.tolist(), strict=True) if is_known]
    found = [(names[k], float(shift[k])) for k in np.flatnonzero(moved)]
    return dict(sorted(found, key=lambda item: -abs(item[1])))


def _wanders(medians: FloatArray, shift: NDArray[np.float64]) -> float:
    """Return the share of the change by which parts of its time differ: along it, or in any one tag.

    ``medians`` are residuals of each part, shape (parts, tags), ``shift`` those of the whole time, not all 0.
    """
    size = float(np.linalg.norm(shift))
    along = float(np.ptp(medians @ shift)) / size**2
    alone = float(np.ptp(medians, axis=0).max()) / size
    return max(along, alone)
