"""Looks at a baseline again, with a model that has not learned from its oddest readings."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frame import Array, FloatArray
from forewarn.domain.twin.deviation import root_mean_square
from forewarn.domain.twin.fit import Fit, fit
from forewarn.domain.twin.layout import TwinLayout
from forewarn.domain.twin.model import bank_of
from forewarn.domain.twin.report import BaselineReport, operating_of, suspicious_stretches
from forewarn.domain.twin.settings import MIN_BASELINE, TwinSettings
from forewarn.domain.twin.statistics import floor_of_scale

_KEPT: Final = 0.7  # share of the readings a second model learns from: up to 30 % may be wrong


def inspect(
    baseline: FloatArray, fitted: Fit, times_us: NDArray[np.int64], layout: TwinLayout, settings: TwinSettings
) -> BaselineReport:
    """Describe a baseline and what is suspicious about it.

    A model that learned from a fault expects it. So a second one is fitted to the most ordinary readings
    only (one step of least trimmed squares, Rousseeuw 1984), and what it expects is compared with all.

    Parameters
    ----------
    baseline
        Readings, shape (rows, columns of the layout), NaN unknown.
    fitted
        What was learned from them.
    times_us
        Event times, shape (rows,).
    """
    measured = baseline[:, len(layout.drivers) :]
    difference = _seen_again(baseline, fitted, layout, settings)
    floors = [
        floor_of_scale(column[~np.isnan(column)], float(span))
        for column, span in zip(measured.T, layout.response_spans, strict=True)
    ]
    stretches, share = suspicious_stretches(difference, floors, layout.responses, times_us)
    return BaselineReport(
        operating=operating_of(baseline, layout.columns), stretches=stretches, suspicious_share=share
    )


def _seen_again(baseline: FloatArray, fitted: Fit, layout: TwinLayout, settings: TwinSettings) -> FloatArray:
    """Measured minus expected, shape (rows, responses), as far as the second model trusts itself."""
    split = len(layout.drivers)
    first = baseline[:, split:] - fitted.held_out
    size = root_mean_square((first / fitted.model.scale).T)
    known = size[~np.isnan(size)]
    if known.size * _KEPT < MIN_BASELINE:
        return first
    ordinary = size <= np.quantile(known, _KEPT)
    again = fit(baseline[ordinary], layout, settings).model
    bank = bank_of({"": again})
    if bank is None:
        return first
    columns: dict[str, Array] = {name: baseline[:, k] for k, name in enumerate(layout.columns)}
    columns["ts"] = np.zeros(baseline.shape[0], dtype=np.int64)
    said = bank.judge(layout, columns, np.zeros(baseline.shape[0], dtype=np.intp))
    out: FloatArray = (said.residual * again.scale[:, None]).T
    return out
