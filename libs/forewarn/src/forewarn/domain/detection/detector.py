"""The detector of a table: learned from healthy rows, scores single rows or pieces of any size."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.anomaly.judge import Verdicts, judge_live
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import ScoringMemory
from forewarn.domain.detection.rows import TICK
from forewarn.domain.detection.twin import TableTwin
from forewarn.domain.frames.frame import FloatArray

_BLOCK_ROWS: Final = 8_192


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TableDetector:
    """A learned detector."""

    twin: TableTwin  #: Expectation of each tag.
    #: Norms and calibration of the residuals, without history: every scoring starts cold.
    memory: ScoringMemory
    settings: AnomalySettings  #: Smoothing and persistence.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scores:
    """Scores of rows; ``score`` and ``p_value`` are NaN where unknown."""

    score: FloatArray
    p_value: FloatArray
    flag: NDArray[np.bool_]
    extrapolated: NDArray[np.bool_]
    contributions: FloatArray


def score(
    detector: TableDetector, memory: ScoringMemory, clock: NDArray[np.int64], drivers: FloatArray, responses: FloatArray
) -> tuple[ScoringMemory, Scores]:
    """Score rows that follow those in ``memory``; begin with ``detector.memory``.

    Any cutting of the rows into pieces gives the same scores.
    """
    pieces = []
    for start in range(0, max(len(clock), 1), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        memory, said = _score_block(detector, memory, clock[part], drivers[part], responses[part])
        pieces.append(said)
    names = Scores.__dataclass_fields__
    return memory, Scores(**{name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in names})


def _score_block(
    detector: TableDetector, memory: ScoringMemory, clock: NDArray[np.int64], drivers: FloatArray, responses: FloatArray
) -> tuple[ScoringMemory, Scores]:
    residuals = detector.twin.residuals(drivers, responses)
    rows = np.flatnonzero(~np.isnan(residuals).all(axis=1))
    said = Verdicts.none(len(clock), residuals.shape[1])
    if rows.size:
        asset = np.zeros(rows.size, dtype=np.intp)
        memory, known = judge_live(memory, asset, clock[rows], residuals[rows], detector.settings)
        said = known.placed(rows, len(clock))
    return memory, Scores(
        score=said.score,
        p_value=said.p_value,
        flag=said.flag,
        extrapolated=detector.twin.extrapolated(drivers),
        contributions=said.contributions,
    )


def settings_for(far: float, *, in_time: bool) -> AnomalySettings:
    """Return the settings for tables; rows without time are scored independently."""
    settings = AnomalySettings(far=far, min_readings=1)
    return settings if in_time else AnomalySettings.for_independent_rows(far)


def gap_of(settings: AnomalySettings) -> float:
    """Return the longest pause on the clock that smoothing bridges."""
    return settings.gap_periods * TICK


def cold(memory: ScoringMemory, norms_from: ScoringMemory) -> ScoringMemory:
    """Return a memory without history that keeps norms and calibration."""
    return replace(memory, norms=norms_from.norms, calibration=norms_from.calibration)
