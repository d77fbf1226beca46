"""Inspect a baseline with a model that has not learned from its oddest readings."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import Array, FloatArray
from forewarn.domain.twin.deviation import root_mean_square
from forewarn.domain.twin.fit import Fit, fit
from forewarn.domain.twin.interval import LearnedRegime, interval_of
from forewarn.domain.twin.layout import TwinLayout
from forewarn.domain.twin.model import bank_of
from forewarn.domain.twin.regimes import CODES
from forewarn.domain.twin.report import BaselineReport, operating_of, suspicious_stretches
from forewarn.domain.twin.settings import MIN_BASELINE, TwinSettings
from forewarn.domain.twin.statistics import MAD_TO_SD, floor_of_scale

_KEPT: Final = 0.7  # share of the readings that a further model learns from: up to 30 % may be wrong
_STEPS: Final = 3
_USUAL: Final = 3.0  # robust standard deviations of a value from its median


def inspect(
    baseline: FloatArray, fitted: Fit, times_us: NDArray[np.int64], layout: TwinLayout, settings: TwinSettings
) -> BaselineReport:
    """Describe a baseline, shape (rows, columns of the layout), and its suspicious stretches.

    A model that learned from a fault expects it. So further models are fitted to the most ordinary readings only (steps
    of least trimmed squares, Rousseeuw 1984), and the last one's predictions are compared with all readings.
    """
    measured = baseline[:, len(layout.drivers) :]
    difference = _seen_again(baseline, fitted, layout, settings)
    floors = [
        floor_of_scale(column[~np.isnan(column)], float(span))
        for column, span in zip(measured.T, layout.response_spans, strict=True)
    ]
    stretches, share = suspicious_stretches(difference, floors, layout.responses, times_us)
    return BaselineReport(
        operating=operating_of(baseline, layout.columns),
        regimes=tuple(_regime(baseline, fitted, layout, number) for number in range(int(fitted.regime.max()) + 1)),
        stretches=stretches,
        suspicious_share=share,
    )


def _regime(baseline: FloatArray, fitted: Fit, layout: TwinLayout, number: int) -> LearnedRegime:
    """Describe an operating regime of the baseline."""
    own, split = fitted.regime == number, len(layout.drivers)
    residuals = (baseline[:, split:] - fitted.held_out)[own]
    found = {
        name: interval_of(column, float(scale))
        for name, column, scale in zip(layout.responses, residuals.T, fitted.scale[own][0], strict=True)
    }
    return LearnedRegime(
        code=int(CODES[number]),
        share=float(own.mean()),
        centre={name: span.middle for name, span in operating_of(baseline[own, :split], layout.drivers).items()},
        intervals={name: interval for name, interval in found.items() if interval is not None},
    )


def _seen_again(baseline: FloatArray, fitted: Fit, layout: TwinLayout, settings: TwinSettings) -> FloatArray:
    """Return measured minus expected, shape (rows, responses), where the last model is reliable."""
    measured = baseline[:, len(layout.drivers) :]
    # In units of each reading's regime: there a step between readings is normal.
    difference, model = (measured - fitted.held_out) / fitted.scale * fitted.model.scale, fitted.model
    columns: dict[str, Array] = {name: baseline[:, k] for k, name in enumerate(layout.columns)}
    columns["ts"] = np.zeros(baseline.shape[0], dtype=np.int64)
    for _ in range(_STEPS):
        oddness = _oddness(measured, difference / model.scale)
        known = oddness[~np.isnan(oddness)]
        if known.size * _KEPT < MIN_BASELINE:
            break
        model = fit(baseline[oddness <= np.quantile(known, _KEPT)], layout, settings).model
        bank = bank_of({"": model})
        if bank is None:
            break
        said = bank.judge(layout, columns, np.zeros(baseline.shape[0], dtype=np.intp))
        difference = said.residual.T * model.scale
    return difference


def _oddness(measured: FloatArray, residuals: FloatArray) -> FloatArray:
    """Rate how unlike the others each reading is: by its residuals, and by its plain values.

    A long fault may teach the first model to expect it, or keep a tag from being judged: values far from a tag's usual
    ones are odd whatever a model predicts.
    """
    out = root_mean_square(residuals.T)
    for column in measured.T:
        known = column[~np.isnan(column)]
        if known.size and (spread := MAD_TO_SD * float(np.median(np.abs(known - np.median(known))))) > 0.0:
            out = np.fmax(out, np.abs(column - np.median(known)) / (_USUAL * spread))
    return out
