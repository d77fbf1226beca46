"""The twin of a table: the expected value of each tag, learned from healthy rows without a description of the tags.

* With drivers: each other tag from them, by second-order ridge regression (``twin.ridge``).
* Without: fast tags from remembered similar states (``twin.kernel``); tags that wander through the baseline and
  never return to a state from all others (``twin.others``).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.associative import fast_tags, fit_associative
from forewarn.domain.twin.kernel import KernelModel
from forewarn.domain.twin.layout import TwinLayout, products_of
from forewarn.domain.twin.model import RidgeBank
from forewarn.domain.twin.others import OthersModel, fit_others
from forewarn.domain.twin.ridge import RidgeModel, features, fit_responses, learn_space
from forewarn.domain.twin.settings import TwinSettings

_LEAST: Final = float(np.finfo(np.float64).tiny)
_FILL_PENALTY: Final = (0.01,)
_FARTHEST: Final = 1e20  # spreads: values beyond are clipped, so that no square or cube overflows


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TableTwin:
    """Fitted twin of a table."""

    #: Input columns, and judged columns.
    drivers: tuple[str, ...]
    responses: tuple[str, ...]
    #: Standardisation of the responses, shape (responses,).
    centre: FloatArray
    spread: FloatArray
    #: Learned range of the drivers in their units, shape (drivers,).
    low: FloatArray
    high: FloatArray
    ridge: RidgeModel | None  #: The regression on drivers; None without drivers, where ``kernel`` is used.
    kernel: KernelModel | None
    #: Guesses unknown drivers from all other columns, standardised by ``fill_centre`` and ``fill_spread``: drivers,
    #: then responses. None without drivers.
    fill: OthersModel | None
    fill_centre: FloatArray
    fill_spread: FloatArray

    def residuals(self, drivers: FloatArray, responses: FloatArray) -> FloatArray:
        """Return measured minus expected in healthy spreads, shape (rows, responses); NaN where unknown."""
        reach = _FARTHEST * self.spread
        responses = np.clip(responses, self.centre - reach, self.centre + reach)
        if self.ridge is not None:
            return self._by_drivers(self.ridge, self._guessed(drivers, responses), responses)
        z = ((responses - self.centre) / self.spread).T
        return np.ascontiguousarray((z - (0.0 if self.kernel is None else self.kernel.expect_standard(z))).T)

    def extrapolated(self, drivers: FloatArray) -> NDArray[np.bool_]:
        """Return whether a driver lies outside its learned range, row by row."""
        outside = (drivers < self.low) | (drivers > self.high)
        return np.asarray(outside.any(axis=1), dtype=np.bool_)

    def _guessed(self, drivers: FloatArray, responses: FloatArray) -> FloatArray:
        """Guess unknown drivers from the rest of the row: residuals then show less, but never the gap itself."""
        unknown = np.isnan(drivers)
        rows = np.flatnonzero(unknown.any(axis=1))
        if self.fill is None or not rows.size:
            return drivers
        z = ((np.column_stack([drivers[rows], responses[rows]]) - self.fill_centre) / self.fill_spread).T
        guess = (self.fill.expect(z).T * self.fill_spread + self.fill_centre)[:, : drivers.shape[1]]
        whole = drivers.copy()
        whole[rows] = np.where(unknown[rows], guess, drivers[rows])
        return whole

    def _by_drivers(self, ridge: RidgeModel, drivers: FloatArray, responses: FloatArray) -> FloatArray:
        layout = layout_of_table(self.drivers, self.responses)
        columns = dict(zip((*self.drivers, *self.responses), (*drivers.T, *responses.T), strict=True))
        asset = np.zeros(len(responses), dtype=np.intp)
        return np.ascontiguousarray(RidgeBank.of([ridge]).judge(layout, columns, asset).residual.T)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TableFit:
    """A twin, and the baseline as expected by twins that have not seen a row's block.

    ``expected`` is in units of the responses, ``held_out`` is measured minus expected in their spreads; ``r2`` is the
    explained share of each response's variance.
    """

    twin: TableTwin
    expected: FloatArray
    held_out: FloatArray
    r2: dict[str, float]


def layout_of_table(drivers: tuple[str, ...], responses: tuple[str, ...]) -> TwinLayout:
    """Return the layout of tags known only by name."""
    return TwinLayout(
        drivers=drivers,
        responses=responses,
        columns=(*drivers, *responses),
        driver_spans=np.full(len(drivers), np.nan),
        response_spans=np.full(len(responses), np.nan),
        pairs=products_of(len(drivers)),
        running=None,
        baseline_readings=0,
    )


def fit_twin(
    drivers: FloatArray,
    responses: FloatArray,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    breaks: NDArray[np.intp],
    block: NDArray[np.intp],
) -> TableFit:
    """Learn from healthy rows of ``drivers`` and ``responses``, shape (rows, columns), NaN where unknown.

    ``names`` are those of drivers and responses; ``breaks`` marks rows that follow a gap; ``block`` numbers the rows
    left out together. Every response moves.
    """
    centre = np.nanmean(responses, axis=0)
    spread = np.maximum(np.nanstd(responses, axis=0), _LEAST)
    ridge, kernel, fill = None, None, None
    both = np.column_stack([drivers, responses])
    fill_centre, fill_spread = np.nanmean(both, axis=0), np.maximum(np.nanstd(both, axis=0), _LEAST)
    if names[0]:
        ridge, expected = _fit_ridge(drivers, responses, names, block)
        fill, _ = fit_others(_filled((both - fill_centre) / fill_spread), block, _FILL_PENALTY)
    else:
        z = _filled((responses - centre) / spread)
        kernel, guess = fit_associative(z, fast_tags(z, breaks), block, TwinSettings())
        expected = centre + spread * guess
    twin = TableTwin(
        drivers=names[0],
        responses=names[1],
        centre=centre,
        spread=spread,
        low=np.nanmin(drivers, axis=0) if names[0] else np.empty(0),
        high=np.nanmax(drivers, axis=0) if names[0] else np.empty(0),
        ridge=ridge,
        kernel=kernel,
        fill=fill,
        fill_centre=fill_centre,
        fill_spread=fill_spread,
    )
    held_out = (responses - expected) / spread
    unexplained = np.nanmean(held_out**2, axis=0)
    r2 = {name: float(1.0 - share) for name, share in zip(names[1], unexplained, strict=True)}
    return TableFit(twin=twin, expected=expected, held_out=held_out, r2=r2)


def _fit_ridge(
    drivers: FloatArray,
    responses: FloatArray,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    block: NDArray[np.intp],
) -> tuple[RidgeModel, FloatArray]:
    layout = layout_of_table(*names)
    known = ~np.isnan(drivers).any(axis=1)
    # A constant driver takes part too: nothing is learned from it, but leaving its value counts as out of range.
    space = learn_space(drivers[known], np.ones(drivers.shape[1], dtype=np.bool_), layout)
    phi = features(space.standardise(drivers[known]), layout.pairs)
    settings = TwinSettings(folds=int(block[-1]) + 1)
    intercept, coefficients, guess = fit_responses(phi, responses[known], settings)
    expected = np.full(responses.shape, np.nan)
    expected[known] = guess
    model = RidgeModel(
        used=space.used,
        centre=space.centre,
        spread=space.spread,
        low=space.low,
        high=space.high,
        axes=space.axes,
        middle=space.middle,
        half=space.half,
        intercept=intercept,
        coefficients=coefficients,
        scale=np.nanstd(responses, axis=0),
        typical=1.0,
    )
    return model, expected


def _filled(z: FloatArray) -> FloatArray:
    """Fill unknown values with the last known ones of their column, else the usual value; only for learning."""
    rows = np.arange(len(z))[:, None]
    latest = np.maximum.accumulate(np.where(np.isnan(z), -1, rows), axis=0)
    filled = np.take_along_axis(z, np.maximum(latest, 0), axis=0)
    filled[latest < 0] = 0.0
    return filled
