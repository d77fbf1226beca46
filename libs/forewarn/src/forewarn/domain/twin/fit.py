"""Fit the model of one asset to its healthy readings, and predict them without having seen them."""

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import Array, FloatArray
from forewarn.domain.twin.associative import fast_tags, fit_associative
from forewarn.domain.twin.deviation import MIN_TYPICAL, root_mean_square
from forewarn.domain.twin.layout import TwinLayout
from forewarn.domain.twin.model import AssetModel
from forewarn.domain.twin.prior_fit import PriorParts, fit_parts
from forewarn.domain.twin.regimes import Regimes, find_regimes, levels
from forewarn.domain.twin.ridge import DriverSpace, RidgeModel, features, learn_space
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
    """A model and its predictions of readings it had not seen.

    ``held_out`` predicts the baseline's readings with models without their block, shape (rows, responses); NaN for
    unjudged tags and readings that are too incomplete. ``regime`` is the operating regime of each reading, 0 the usual
    one.
    """

    model: AssetModel
    method: str
    held_out: FloatArray
    r2: dict[str, float]
    unjudged: dict[str, str]
    regime: NDArray[np.intp]

    @property
    def scale(self) -> FloatArray:
        """Return the healthy standard deviation for each reading's residuals, shape (rows, responses)."""
        spreads = self.model.spreads if isinstance(self.model, RidgeModel) and len(self.model.spreads) else None
        return np.tile(self.model.scale, (len(self.held_out), 1)) if spreads is None else spreads[self.regime]


def fit(baseline: FloatArray, layout: TwinLayout, settings: TwinSettings) -> Fit:
    """Learn from healthy readings, shape (rows, columns) in the order of ``layout.columns``; NaN is unknown."""
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
    """Return tags that are unknown too often, so that enough readings remain with all others known."""
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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Explained:
    """Responses explained by drivers: fitted parts, and predictions for left-out blocks."""

    space: DriverSpace
    parts: PriorParts
    regimes: Regimes
    regime: NDArray[np.intp]
    levels: FloatArray
    held_out: FloatArray


def _explain(
    drivers: FloatArray, used: NDArray[np.bool_], responses: FloatArray, layout: TwinLayout, settings: TwinSettings
) -> _Explained:
    rows = ~np.isnan(drivers[:, used]).any(axis=1)
    space = learn_space(drivers[rows], used, layout)
    z = space.standardise(drivers[rows])
    terms = layout.priors.values(_columns(drivers[rows], layout))
    parts = fit_parts(features(z, layout.pairs), terms, layout.priors.followed, responses[rows], settings)
    held_out, regime = np.full(responses.shape, np.nan), np.zeros(len(drivers), dtype=np.intp)
    regimes, level = find_regimes(z), np.empty((0, responses.shape[1]))
    held_out[rows], regime[rows] = parts.held_out, regimes.label
    if len(regimes.radius):
        level, shift = levels(responses - held_out, regime, len(regimes.radius), settings.folds)
        held_out += shift
    return _Explained(space=space, parts=parts, regimes=regimes, regime=regime, levels=level, held_out=held_out)


def _fit_ridge(
    baseline: FloatArray,
    used: NDArray[np.bool_],
    judged: NDArray[np.bool_],
    layout: TwinLayout,
    settings: TwinSettings,
    unjudged: dict[str, str],
) -> Fit:
    split = len(layout.drivers)
    responses = np.where(judged, baseline[:, split:], np.nan)
    explained = _explain(baseline[:, :split], used, responses, layout, settings)
    held_out, parts, regimes = explained.held_out, explained.parts, explained.regimes
    r2 = _cross_validated_r2(responses, held_out, layout)
    _leave_out_unexplained_wanderers(responses - held_out, r2, layout, settings, unjudged)
    scale, spreads, typical = _scales(responses, held_out, layout, unjudged, explained.regime)
    model = RidgeModel(
        **{item.name: getattr(explained.space, item.name) for item in fields(explained.space)},
        intercept=np.where(np.isnan(scale), np.nan, parts.intercept),
        coefficients=np.where(np.isnan(scale), np.nan, parts.coefficients),
        factors=parts.factors,
        centres=regimes.centres,
        widths=regimes.widths,
        radius=regimes.radius,
        levels=explained.levels,
        spreads=spreads[: len(regimes.radius)],
        scale=scale,
        typical=typical,
    )
    held_out[:, np.isnan(scale)] = np.nan
    method = "physics+ridge2" if parts.factors.any() else "ridge2"
    return Fit(model=model, method=method, held_out=held_out, r2=r2, unjudged=unjudged, regime=explained.regime)


def _columns(drivers: FloatArray, layout: TwinLayout) -> dict[str, Array]:
    """Return drivers, shape (rows, drivers), by name."""
    columns: dict[str, Array] = dict(zip(layout.drivers, drivers.T, strict=True))
    return columns | {"ts": np.zeros(len(drivers), dtype=np.int64)}


def _leave_out_unexplained_wanderers(
    residuals: FloatArray, r2: dict[str, float], layout: TwinLayout, settings: TwinSettings, unjudged: dict[str, str]
) -> None:
    """Leave out responses that drift and that the drivers predict worse than their means do."""
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
    regime = np.zeros(len(baseline), dtype=np.intp)
    scale, _, typical = _scales(baseline, held_out, layout, unjudged, regime)
    model = replace(model, judged=columns, centre=centre, spread=spread, scale=scale, typical=typical)
    r2 = _cross_validated_r2(baseline, held_out, layout)
    return Fit(model=model, method="aakr", held_out=held_out, r2=r2, unjudged=unjudged, regime=regime)


def _cross_validated_r2(responses: FloatArray, held_out: FloatArray, layout: TwinLayout) -> dict[str, float]:
    r2 = {}
    for name, measured, expected in zip(layout.responses, responses.T, held_out.T, strict=True):
        known = ~(np.isnan(measured) | np.isnan(expected))
        total = float(((measured[known] - measured[known].mean()) ** 2).sum()) if known.any() else 0.0
        if total > 0.0:
            r2[name] = 1.0 - float(((measured[known] - expected[known]) ** 2).sum()) / total
    return r2


def _scales(
    responses: FloatArray,
    held_out: FloatArray,
    layout: TwinLayout,
    unjudged: dict[str, str],
    regime: NDArray[np.intp],
) -> tuple[FloatArray, FloatArray, float]:
    """Return each judged response's spread of healthy residuals, in all and by regime; 95th percentile of their RMS."""
    count = int(regime.max(initial=0)) + 1
    scale, spreads = np.full(len(layout.responses), np.nan), np.full((count, len(layout.responses)), np.nan)
    residuals = responses - held_out
    for position, name in enumerate(layout.responses):
        known = ~np.isnan(residuals[:, position])
        if name not in unjudged and known.any():
            floor = floor_of_scale(responses[known, position], layout.response_spans[position])
            scale[position] = _spread(residuals[known, position], floor)
            for number in range(count):
                own = residuals[known & (regime == number), position]
                spreads[number, position] = _spread(own, floor) if own.size >= MIN_BASELINE else scale[position]
    rms = root_mean_square((residuals / spreads[regime]).T)
    rms = rms[~np.isnan(rms)]
    typical = float(np.quantile(rms, 0.95)) if rms.size else MIN_TYPICAL
    return scale, spreads, max(typical, MIN_TYPICAL)


def _spread(healthy: FloatArray, floor: float) -> float:
    return robust_scale(healthy, floor) * caution(independent_readings(healthy))
