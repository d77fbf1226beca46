"""Learn a detector from healthy rows, and report what is odd about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.anomaly.course import BaselineCourse
from forewarn.domain.anomaly.learning import (
    DISTURBED_ROWS,
    DISTURBED_SPREADS,
    LearnedNorms,
    disturbed_rows,
    learn_norms,
    sizes_by,
    with_lead,
)
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.detection.detector import TableDetector, gap_of
from forewarn.domain.detection.rows import RowOrder, stretches
from forewarn.domain.detection.twin import TableFit, fit_twin
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.statistics import blocks_of

#: Most rows to learn from, in this many stretches.
MOST_ROWS: Final = 40_000
_PIECES: Final = 40

MIN_ROWS: Final = 60

_ORDINARY: Final = 0.7  # share of the rows that the second pass learns from
_EDGES: Final = 2  # of one stretch
_HIDDEN_SPREADS: Final = 2 * DISTURBED_SPREADS  # the most ordinary rows spread less than all

_MAX_MISSING: Final = 0.5
_FLAT_SHARE: Final = 1e-9
_IMPOSSIBLE: Final = 10.0  # widths of the central 98 % beyond it: not a plausible reading of this tag


class NothingToLearnError(ValueError):
    """The healthy rows do not allow a detector; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspiciousRows:
    """A stretch of the baseline unlike the rest: first and last row of the table, and the tags responsible."""

    first: int
    last: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LearnedDetector:
    """A detector and the findings in the healthy rows."""

    detector: TableDetector
    rows: int  #: Rows learned from.
    left_out: Mapping[str, str]  #: Columns that cannot be judged, with the reason.
    #: Tags that drifted through the baseline: judged mainly by their changes, not by their level.
    wanders: tuple[str, ...]
    disturbed: int  #: Rows far beyond the rest that were not learned: suspicious stretches and single disturbances.
    suspicious: tuple[SuspiciousRows, ...]  #: The lasting stretches among them.
    independent: float  #: Independent readings that the healthy rows are worth after smoothing.
    r2: Mapping[str, float]  #: Cross-validated share of each tag's variance that the twin explains.


def learn(
    columns: Mapping[str, FloatArray], drivers: tuple[str, ...], rows: RowOrder, settings: AnomalySettings
) -> LearnedDetector:
    """Learn from healthy rows of any tags, NaN where unknown.

    Raises NothingToLearnError if there are too few rows, or no tag moves.
    """
    total = rows.order.size
    if total < MIN_ROWS:
        raise NothingToLearnError(f"{total} healthy rows; at least {MIN_ROWS} are needed")
    kept = stretches(total, MOST_ROWS, _PIECES)
    table = {name: _possible(values[rows.order[kept]]) for name, values in columns.items()}
    left_out = _left_out(table, drivers)
    responses = _judged(table, drivers, left_out)
    clock = rows.clock[kept]
    work = _Work(table, drivers, responses, settings, gap_of(settings))
    fitted, healthy = work.fit(clock, np.ones(kept.size, dtype=np.bool_))
    odd, witness = disturbed_rows(healthy.size), healthy
    residuals = fitted.held_out
    if not odd.any():
        odd, witness, residuals = work.hidden(clock, healthy)
    if odd.any():
        suspicious = _named(odd, rows.order[kept], responses, residuals, witness, settings)
        odd = with_lead(odd, settings.window)
        fitted, healthy = work.fit(clock, ~odd)
    else:
        suspicious = ()
    return LearnedDetector(
        detector=TableDetector(twin=fitted.twin, memory=healthy.memory, settings=settings),
        rows=int(np.count_nonzero(~odd)),
        left_out=left_out,
        wanders=_wanders(responses, healthy),
        disturbed=int(np.count_nonzero(odd)),
        suspicious=suspicious,
        independent=healthy.independent,
        r2=fitted.r2,
    )


def _judged(table: Mapping[str, FloatArray], drivers: tuple[str, ...], left_out: Mapping[str, str]) -> tuple[str, ...]:
    responses = tuple(name for name in table if name not in drivers and name not in left_out)
    if not responses:
        reasons = [f"{name}: {reason}" for name, reason in left_out.items()]
        raise NothingToLearnError("no tag to judge: " + "; ".join(reasons or ["every column is a driver"]))
    return responses


def _wanders(responses: tuple[str, ...], healthy: LearnedNorms) -> tuple[str, ...]:
    scales = healthy.memory.norms.level_scale[0]
    return tuple(name for name, scale in zip(responses, scales, strict=True) if np.isinf(scale))


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    table: Mapping[str, FloatArray]
    drivers: tuple[str, ...]
    responses: tuple[str, ...]
    settings: AnomalySettings
    gap: float

    def fit(self, clock: NDArray[np.int64], use: NDArray[np.bool_]) -> tuple[TableFit, LearnedNorms]:
        rows = np.flatnonzero(use)
        # Rows on both sides of an omitted one are no neighbours: their clock shows it.
        breaks = np.flatnonzero(np.diff(clock[rows]) > self.gap) + 1
        block = blocks_of(rows.size, breaks, self.settings.folds)
        inputs = self._columns(self.drivers, clock.size)[rows]
        outputs = self._columns(self.responses, clock.size)[rows]
        fitted = fit_twin(inputs, outputs, (self.drivers, self.responses), breaks, block)
        course = BaselineCourse(
            ts=clock[rows],
            residuals=fitted.held_out,
            measured=outputs,
            expected=fitted.expected,
            driven=bool(self.drivers),
        )
        return fitted, learn_norms(course, self.gap, self.settings)

    def hidden(
        self, clock: NDArray[np.int64], healthy: LearnedNorms
    ) -> tuple[NDArray[np.bool_], LearnedNorms, FloatArray]:
        """Return disturbed rows that the first twin had learned to expect, their detector, and its residuals.

        A twin of the most ordinary rows (a step of least trimmed squares, Rousseeuw 1984) judges all rows. A recurring
        pattern is an operating mode: only a single stretch counts.
        """
        ordinary = healthy.size <= np.nanquantile(healthy.size, _ORDINARY)
        fitted, witness = self.fit(clock, ordinary)
        residuals = fitted.twin.residuals(
            self._columns(self.drivers, clock.size), self._columns(self.responses, clock.size)
        )
        odd = disturbed_rows(sizes_by(witness.memory, clock, residuals, self.settings), _HIDDEN_SPREADS)
        single = np.count_nonzero(np.diff(odd, prepend=False)) <= _EDGES
        return odd & single, witness, residuals

    def _columns(self, names: tuple[str, ...], rows: int) -> FloatArray:
        return np.column_stack([self.table[name] for name in names]) if names else np.empty((rows, 0))


def _possible(values: FloatArray) -> FloatArray:
    """Remove values that no healthy machine gives: one reading of 1e10 would wreck every scale."""
    known = values[~np.isnan(values)]
    if not known.size:
        return values
    low, high = np.quantile(known, [0.01, 0.99])
    reach = _IMPOSSIBLE * (high - low)
    if reach <= 0.0:
        return values
    return np.where((values < low - reach) | (values > high + reach), np.nan, values)


def _left_out(table: Mapping[str, FloatArray], drivers: tuple[str, ...]) -> dict[str, str]:
    """Return columns that cannot be learned, with the reason; a constant driver can still leave its range."""
    reasons, constant = {}, set()
    for name, values in table.items():
        known = values[~np.isnan(values)]
        if known.size < (1.0 - _MAX_MISSING) * values.size or known.size < MIN_ROWS:
            reasons[name] = f"missing in {1 - known.size / max(values.size, 1):.0%} of the healthy rows"
        elif known.max() - known.min() <= _FLAT_SHARE * np.abs(known).max():
            reasons[name] = f"constant: always {known[0]:g}"
            constant.add(name)
    for name in drivers:
        if name in reasons and name not in constant:
            raise NothingToLearnError(f"driver {name!r} cannot be used: {reasons[name]}")
    return reasons


def _named(
    odd: NDArray[np.bool_],
    rows: NDArray[np.intp],
    responses: tuple[str, ...],
    residuals: FloatArray,
    healthy: LearnedNorms,
    settings: AnomalySettings,
) -> tuple[SuspiciousRows, ...]:
    edges = np.flatnonzero(np.diff(odd, prepend=False, append=False))
    scale = healthy.memory.norms.level_scale[0]
    found = []
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        if end - first < settings.window + DISTURBED_ROWS - 1:
            continue  # smoothing spreads one wild reading over a window: that is no stretch
        bias = np.abs(np.nan_to_num(residuals[first:end]).mean(axis=0) / scale)
        worst = np.argsort(bias)[::-1][:3]
        tags = tuple(responses[tag] for tag in worst if bias[tag] >= 0.5 * bias[worst[0]])
        found.append(SuspiciousRows(first=int(rows[first]), last=int(rows[end - 1]), tags=tags))
    return tuple(found)
