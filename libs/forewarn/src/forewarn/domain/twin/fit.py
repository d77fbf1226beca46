"""Fits the model of one asset to its healthy readings, and judges those without having seen them."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frame import Array, FloatArray
from forewarn.domain.twin.associative import fast_tags, fit_associative
from forewarn.domain.twin.deviation import MIN_TYPICAL, root_mean_square
from forewarn.domain.twin.layout import TwinLayout
from forewarn.domain.twin.model import AssetModel
from forewarn.domain.twin.prior_fit import fit_parts
from forewarn.domain.twin.ridge import RidgeModel, features, learn_space
from forewarn.domain.twin.settings import MIN_BASELINE, TwinSettings
from forewarn.domain.twin.statistics import (
    caution,
    floor_of_scale,
    fold_of,
    independent_readings,
    is_flat,
    robust_scale,
    wander_ratio,
)

_NO_BREAKS: Final = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fit:
    """A model and how it did on readings it had not seen.

    ``held_out`` is what the baseline's readings were expected to measure by models without their
    block, shape (rows, responses); NaN for unjudged tags and readings too incomplete to use.
    """

    model: AssetModel
    method: str
    held_out: FloatArray
    r2: dict[str, float]
    unjudged: dict[str, str]


def fit(baseline: FloatArray, layout: TwinLayout, settings: TwinSettings) -> Fit:
    """Learn from healthy readings, shape (rows, columns) in the order of ``layout.columns``, NaN unknown."""
    split = len(layout.drivers)
    unjudged = _missing_tags(baseline, layout, settings)
    for name, values, span in zip(layout.responses, baseline[:, split:].T, layout.response_spans, strict=True):
        if name not in unjudged and is_flat(values[~np.isnan(values)], span):
            unjudged[name] = "flat: it did not move while the twin learned"
    judged = np.array([name not in unjudged for name in layout.responses])
    used = np.array([name not in unjudged for name in layout.drivers], dtype=np.bool_)
    if layout.drivers:
        return _fit_ridge(baseline, used, judged, layout, settings, unjudged)
    return _fit_kernel(baseline, judged, layout, settings, unjudged)


def _missing_tags(baseline: FloatArray, layout: TwinLayout, settings: TwinSettings) -> dict[str, str]:
    """Tags unknown too often, so that enough readings remain in which all others are known."""
    known = ~np.isnan(baseline)
    share = known.mean(axis=0)
    kept = share >= 1.0 - settings.max_missing
    while kept.any() and known[:, kept].all(axis=1).sum() < MIN_BASELINE:
        kept[np.flatnonzero(kept)[np.argmin(share[kept])]] = False
    return {
        name: f"missing in {1 - present:.0%} of the readings the twin learned from"
        for name, present, keep in zip(layout.columns, share, kept, strict=True)
        if not keep
    }


def _fit_ridge(
    baseline: FloatArray,
    used: NDArray[np.bool_],
    judged: NDArray[np.bool_],
    layout: TwinLayout,
    settings: TwinSettings,
    unjudged: dict[str, str],
) -> Fit:
    split = len(layout.drivers)
    rows = ~np.isnan(baseline[:, :split][:, used]).any(axis=1)
    responses = np.where(judged, baseline[:, split:], np.nan)
    space = learn_space(baseline[rows][:, :split], used, layout)
    phi = features(space.standardise(baseline[rows][:, :split]), layout.pairs)
    terms = layout.priors.values(_columns(baseline[rows], layout))
    parts = fit_parts(phi, terms, layout.priors.followed, responses[rows], settings)
    held_out = np.full(responses.shape, np.nan)
    held_out[rows] = parts.held_out
    r2 = _cross_validated_r2(responses, held_out, layout)
    _leave_out_unexplained_wanderers(responses - held_out, r2, layout, settings, unjudged)
    scale, typical = _scales(responses, held_out, layout, unjudged)
    model = RidgeModel(
        used=space.used,
        centre=space.centre,
        spread=space.spread,
        low=space.low,
        high=space.high,
        axes=space.axes,
        middle=space.middle,
        half=space.half,
        intercept=np.where(np.isnan(scale), np.nan, parts.intercept),
        coefficients=np.where(np.isnan(scale), np.nan, parts.coefficients),
        factors=parts.factors,
        scale=scale,
        typical=typical,
    )
    held_out[:, np.isnan(scale)] = np.nan
    method = "physics+ridge2" if parts.factors.any() else "ridge2"
    return Fit(model=model, method=method, held_out=held_out, r2=r2, unjudged=unjudged)


def _columns(baseline: FloatArray, layout: TwinLayout) -> dict[str, Array]:
    """Drivers of readings, shape (rows, columns of the layout), by name."""
    drivers: dict[str, Array] = dict(zip(layout.drivers, baseline.T, strict=False))
    return drivers | {"ts": np.zeros(len(baseline), dtype=np.int64)}


def _leave_out_unexplained_wanderers(
    residuals: FloatArray, r2: dict[str, float], layout: TwinLayout, settings: TwinSettings, unjudged: dict[str, str]
) -> None:
    """A response that drifts and that the drivers predict worse than its mean does cannot be judged."""
    lost = {}
    for name, column in zip(layout.responses, residuals.T, strict=True):
        if name in r2 and r2[name] < 0.0:
            ratio = wander_ratio(column[~np.isnan(column)])
            if ratio > settings.wander_limit:
                lost[name] = f"wanders: drifted while the twin learned, without its drivers (ratio {ratio:.0f})"
    if len(lost) < len(r2):
        unjudged.update(lost)
        for name in lost:
            del r2[name]


def _fit_kernel(
    baseline: FloatArray,
    judged: NDArray[np.bool_],
    layout: TwinLayout,
    settings: TwinSettings,
    unjudged: dict[str, str],
) -> Fit:
    columns = np.flatnonzero(judged)
    complete = ~np.isnan(baseline[:, columns]).any(axis=1)
    values = baseline[np.ix_(complete, columns)]
    floors = [floor_of_scale(v, layout.response_spans[c]) for v, c in zip(values.T, columns, strict=True)]
    centre, spread = values.mean(axis=0), np.maximum(values.std(axis=0), floors)
    states = (values - centre) / spread
    block = fold_of(len(states), settings.folds)
    model, expected = fit_associative(states, fast_tags(states, _NO_BREAKS), block, settings)
    held_out = np.full(baseline.shape, np.nan)
    held_out[np.ix_(complete, columns)] = centre + spread * expected
    scale, typical = _scales(baseline, held_out, layout, unjudged)
    model = replace(model, judged=columns, centre=centre, spread=spread, scale=scale, typical=typical)
    r2 = _cross_validated_r2(baseline, held_out, layout)
    return Fit(model=model, method="aakr", held_out=held_out, r2=r2, unjudged=unjudged)


def _cross_validated_r2(responses: FloatArray, held_out: FloatArray, layout: TwinLayout) -> dict[str, float]:
    r2 = {}
    for name, measured, expected in zip(layout.responses, responses.T, held_out.T, strict=True):
        known = ~(np.isnan(measured) | np.isnan(expected))
        total = float(((measured[known] - measured[known].mean()) ** 2).sum()) if known.any() else 0.0
        if total > 0.0:
            r2[name] = 1.0 - float(((measured[known] - expected[known]) ** 2).sum()) / total
    return r2


def _scales(
    responses: FloatArray, held_out: FloatArray, layout: TwinLayout, unjudged: dict[str, str]
) -> tuple[FloatArray, float]:
    """Healthy spread of each judged response's residuals, and the 95th percentile of their root mean square."""
    scale = np.full(len(layout.responses), np.nan)
    residuals = responses - held_out
    for position, name in enumerate(layout.responses):
        known = ~np.isnan(residuals[:, position])
        if name not in unjudged and known.any():
            floor = floor_of_scale(responses[known, position], layout.response_spans[position])
            healthy = residuals[known, position]
            scale[position] = robust_scale(healthy, floor) * caution(independent_readings(healthy))
    rms = root_mean_square((residuals / scale).T)
    rms = rms[~np.isnan(rms)]
    typical = float(np.quantile(rms, 0.95)) if rms.size else MIN_TYPICAL
    return scale, max(typical, MIN_TYPICAL)
