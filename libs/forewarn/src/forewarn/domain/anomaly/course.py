"""A baseline as measured and as expected, and how much of the machine it shows."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.anomaly.judge import ResidualArray
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.statistics import WANDERS_BELOW, caution, effective_readings

_LEVEL_KNOWN_FROM: Final = 10.0  # independent readings: with fewer, the next values of a response are unknown
_CARE_WITH_DRIVERS: Final = 0.5  # ADR 0023: without it one false alarm a month; in full, some faults are found late
_EXPLAINED: Final = 0.75  # share of the variance: a chance likeness of two slow curves seldom reaches it


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BaselineCourse:
    """Readings of one asset's baseline."""

    ts: NDArray[np.int64]  #: Event time [µs], rising; shape (rows,).
    #: Held-out residuals in healthy spreads of the response, shape (rows, responses), NaN where unknown.
    residuals: ResidualArray
    #: Measured, and expected by a twin that had not seen the row's block; like ``residuals``, in units of the response.
    measured: FloatArray
    expected: FloatArray
    driven: bool  #: Whether drivers give the expectation: residuals then already fade outside their learned range.

    def take(self, rows: NDArray[np.bool_]) -> "BaselineCourse":
        """Select rows."""
        return BaselineCourse(
            ts=self.ts[rows],
            residuals=self.residuals[rows],
            measured=self.measured[rows],
            expected=self.expected[rows],
            driven=self.driven,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evidence:
    """How well a baseline shows what its machine does."""

    #: Responses known in some row, shape (responses,): the others have no model or no sensor. All of them if none is
    #: known.
    known: NDArray[np.bool_]
    effective: FloatArray  #: Independent readings that each response's residuals are worth, shape (responses,).
    #: Responses whose next values the baseline does not predict, shape (responses,). Their residuals are worth fewer
    #: than ten independent readings; or the measured values are, and the expectation only happens to resemble them, so
    #: that residuals will wander too.
    wanders: NDArray[np.bool_]
    independent: float  #: Independent readings that the measured values of the known responses are worth, median.
    #: Factor by which healthy residuals in states to come may exceed those seen, median of the known responses.
    #: Residuals may be white although the machine went through its states once, so that the twin was not tested in
    #: others. The less the twin explains, the less that matters. Halved beyond 1 with drivers: residuals already fade
    #: outside the learned range.
    care: float


def evidence_of(course: BaselineCourse, breaks: NDArray[np.intp]) -> Evidence:
    """Weigh a baseline; ``breaks`` marks rows that follow a gap."""
    known = ~np.isnan(course.residuals).all(axis=0)
    known |= not known.any()
    effective, measured = _worth(course.residuals, breaks), _worth(course.measured, breaks)
    explained = _explained(course)
    alike = (measured < _LEVEL_KNOWN_FROM) & (explained < _EXPLAINED) & (effective < WANDERS_BELOW)
    care = _care(_worth(course.expected, breaks)[known], explained[known])
    if course.driven:
        care = 1.0 + _CARE_WITH_DRIVERS * (care - 1.0)
    return Evidence(
        known=np.asarray(known, dtype=np.bool_),
        effective=effective,
        wanders=(effective < _LEVEL_KNOWN_FROM) | alike,
        independent=float(np.median(measured[known])),
        care=care,
    )


def _care(states: FloatArray, explained: FloatArray) -> float:
    beyond = np.array([caution(number) for number in states])
    return float(np.median(np.sqrt(1.0 + np.maximum(explained, 0.0) * (beyond**2 - 1.0))))


def _worth(values: ResidualArray, breaks: NDArray[np.intp]) -> FloatArray:
    return np.array([effective_readings(column, breaks) for column in values.astype(np.float64).T])


def _explained(course: BaselineCourse) -> FloatArray:
    """Return the explained share of each response's variance, shape (responses,); 0 where unknown."""
    out = np.zeros(course.measured.shape[1])
    for position, (measured, expected) in enumerate(zip(course.measured.T, course.expected.T, strict=True)):
        known = ~(np.isnan(measured) | np.isnan(expected))
        total = float(measured[known].var()) if known.any() else 0.0
        if total > 0.0:
            out[position] = 1.0 - float(((measured[known] - expected[known]) ** 2).mean()) / total
    return out
