"""Fitted models of a class and their judgement of readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.conditions import is_running
from forewarn.domain.frames.frame import Array, FloatArray
from forewarn.domain.twin.deviation import deviation_of, root_mean_square
from forewarn.domain.twin.kernel import KernelModel
from forewarn.domain.twin.layout import TwinLayout
from forewarn.domain.twin.regime_bank import RegimeBank
from forewarn.domain.twin.regimes import CODES
from forewarn.domain.twin.report import NO_REPORT, BaselineReport
from forewarn.domain.twin.request import AUTOMATIC, LearningRequest
from forewarn.domain.twin.ridge import RidgeModel

AssetModel = RidgeModel | KernelModel

#: Noise carries drivers a little beyond a baseline's range; farther out is another operating point.
_OUTSIDE: Final = 1.25

_FARTHEST: Final = 1e15  # healthy standard deviations; float32 columns, and their squares, must stay finite


class Regime:
    """Values of the column ``regime``; further learned regimes have those of ``regimes.CODES``."""

    LEARNED: Final = 0  #: drivers within the range of the baseline, in its usual regime
    EXTRAPOLATED: Final = 1  #: drivers outside: residuals are scaled down
    STOPPED: Final = 2  #: the machine does not run (or that is unknown): not judged
    UNKNOWN: Final = 3  #: not judged: no model yet, or too many tags unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """Description of a model; the source of ``contracts.health.ModelArtefact``.

    ``r2`` is cross-validated over contiguous blocks and can be negative: the model then predicts the tag worse than its
    mean does. ``unjudged`` gives excluded tags, with the reason. Times are µs since 1970 UTC. ``request`` is the order
    for it, ``report`` describes its baseline.
    """

    asset_id: str
    version: int
    method: str
    trained_from_us: int
    trained_to_us: int
    rows: int
    r2: Mapping[str, float] = field(default_factory=dict)
    unjudged: Mapping[str, str] = field(default_factory=dict)
    report: BaselineReport = NO_REPORT
    request: LearningRequest = AUTOMATIC

    @property
    def kept(self) -> "FittedModel":
        """Return the part that the state keeps: the report is published once."""
        return replace(self, report=NO_REPORT)

    @classmethod
    def restored(cls, raw: Mapping[str, Any]) -> "FittedModel":
        """Read one from a snapshot."""
        return cls(**{**raw, "report": NO_REPORT, "request": LearningRequest.restored(raw.get("request"))})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TwinJudgement:
    """The twin's judgement of rows: float64, shapes (responses, rows) and (rows,).

    ``distance`` is that of the operating point from the middle of the learned range, whose edge is 1.
    """

    expected: FloatArray
    residual: FloatArray
    deviation: FloatArray
    regime: NDArray[np.uint8]
    distance: FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RidgeBank:
    """Regressions of all assets of a class side by side, so that one pass judges rows of any of them.

    The last axis of every array is the asset.
    """

    used: NDArray[np.bool_]
    centre: FloatArray
    spread: FloatArray
    low: FloatArray
    high: FloatArray
    axes: FloatArray
    middle: FloatArray
    half: FloatArray
    intercept: FloatArray
    coefficients: FloatArray
    scale: FloatArray
    typical: FloatArray
    factors: FloatArray
    regimes: RegimeBank | None

    @classmethod
    def of(cls, models: list[RidgeModel]) -> "RidgeBank":
        """Stack the models of the assets."""
        names = [name for name in cls.__dataclass_fields__ if name != "regimes"]
        arrays = {name: np.stack([getattr(model, name) for model in models], axis=-1) for name in names}
        return cls(**arrays, regimes=RegimeBank.of(models))

    def judge(self, layout: TwinLayout, columns: Mapping[str, Array], asset: NDArray[np.intp]) -> TwinJudgement:
        """Judge rows of running machines.

        Sums go term by term over whole columns: no result depends on the other rows.
        """
        z = self._standardise(layout, columns, asset)
        code, level, scale, beyond = self._regime(z, asset)
        reach = np.maximum(self._reach(z, asset), beyond)
        np.clip(z, self.low[:, asset], self.high[:, asset], out=z)
        expected = self.intercept[:, asset]
        for number in range(len(z)):
            expected += self.coefficients[number].take(asset, axis=1) * z[number]
        for number, (i, j) in enumerate(layout.pairs, start=len(z)):
            expected += self.coefficients[number].take(asset, axis=1) * (z[i] * z[j])
        self._follow_physics(expected, layout, columns, asset)
        expected += level
        measured = np.stack([columns[name] for name in layout.responses])
        # The first term that a second-order model lacks grows with the cube.
        residual = (measured - expected) / (scale * np.clip(reach, 1.0, _FARTHEST) ** 3)
        return _judgement(expected, residual, self.typical[asset], reach, code)

    def _regime(
        self, z: FloatArray, asset: NDArray[np.intp]
    ) -> tuple[NDArray[np.uint8], FloatArray, FloatArray, FloatArray]:
        """Return each row's regime code, the regime's residual level and spread, and the row's distance."""
        if self.regimes is None:
            return CODES[:1], np.zeros(1), self.scale[:, asset], np.zeros(1)
        regime, beyond = self.regimes.nearest(z, asset)
        return CODES[regime], self.regimes.levels[regime, :, asset].T, self.regimes.spreads[regime, :, asset].T, beyond

    def _follow_physics(
        self, expected: FloatArray, layout: TwinLayout, columns: Mapping[str, Array], asset: NDArray[np.intp]
    ) -> None:
        """Add what physics contributes to the responses; the correction is in ``expected`` already."""
        if not self.factors.any():
            return
        for number, value in enumerate(layout.priors.values(columns)):
            positions = layout.priors.followed[number]
            factors = self.factors[number, positions].take(asset, axis=1)
            # A machine that lacks a driver follows no term with it.
            expected[positions] += np.where(factors == 0.0, 0.0, factors * value)

    def _standardise(self, layout: TwinLayout, columns: Mapping[str, Array], asset: NDArray[np.intp]) -> FloatArray:
        z = np.empty((len(layout.drivers), asset.size))
        for number, name in enumerate(layout.drivers):
            value = (columns[name] - self.centre[number][asset]) / self.spread[number][asset]
            z[number] = np.where(self.used[number][asset], value, 0.0)
        return z

    def _reach(self, z: FloatArray, asset: NDArray[np.intp]) -> FloatArray:
        """Return how far out the worst driver or principal axis is: 1 is the edge of the learned range.

        Axes count too, because drivers that rise and fall together can be far from everything learned while each alone
        is within its range.
        """
        reach = np.zeros(asset.size)
        drivers = len(z)
        for number in range(2 * drivers):
            along = -self.middle[number][asset]
            if number < drivers:
                along += z[number]
            else:
                for driver in range(drivers):
                    along += self.axes[driver, number - drivers][asset] * z[driver]
            np.maximum(reach, np.abs(along) / self.half[number][asset], out=reach)
        return reach


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KernelBank:
    """Memories of all assets of a class; each judges its own rows."""

    models: tuple[KernelModel, ...]
    scale: FloatArray
    typical: FloatArray

    @classmethod
    def of(cls, models: list[KernelModel]) -> "KernelBank":
        """Gather the models of the assets."""
        return cls(
            models=tuple(models),
            scale=np.stack([model.scale for model in models], axis=-1),
            typical=np.array([model.typical for model in models]),
        )

    def judge(self, layout: TwinLayout, columns: Mapping[str, Array], asset: NDArray[np.intp]) -> TwinJudgement:
        """Judge rows of running machines."""
        measured = np.stack([columns[name] for name in layout.responses])
        expected = np.full(measured.shape, np.nan)
        order = np.argsort(asset, kind="stable")
        bounds = np.flatnonzero(np.diff(asset[order])) + 1
        for rows in np.split(order, bounds):
            if rows.size:
                expected[:, rows] = self.models[asset[rows[0]]].expect(measured[:, rows])
        residual = (measured - expected) / self.scale[:, asset]
        return _judgement(expected, residual, self.typical[asset], np.full(asset.size, np.nan), CODES[:1])


Bank = RidgeBank | KernelBank


def bank_of(models: Mapping[str, AssetModel]) -> Bank | None:
    """Stack models in the order of the mapping; None without any."""
    ridges = [model for model in models.values() if isinstance(model, RidgeModel)]
    if ridges:
        return RidgeBank.of(ridges)
    kernels = [model for model in models.values() if isinstance(model, KernelModel)]
    return KernelBank.of(kernels) if kernels else None


def judge(bank: Bank, layout: TwinLayout, columns: Mapping[str, Array], asset: NDArray[np.intp]) -> TwinJudgement:
    """Judge rows, ``asset`` being the position of each row's model in the bank.

    Rows of machines that do not run have neither expectation nor residual.
    """
    said = bank.judge(layout, columns, asset)
    stopped = ~is_running(layout.running, columns)
    if not stopped.any():
        return said
    expected, residual = (np.where(stopped, np.nan, values) for values in (said.expected, said.residual))
    return TwinJudgement(
        expected=expected,
        residual=residual,
        deviation=np.where(stopped, np.nan, said.deviation),
        regime=np.where(stopped, np.uint8(Regime.STOPPED), said.regime),
        distance=np.where(stopped, np.nan, said.distance),
    )


def _judgement(
    expected: FloatArray,
    residual: FloatArray,
    typical: FloatArray,
    distance: FloatArray,
    code: NDArray[np.uint8],
) -> TwinJudgement:
    np.clip(residual, -_FARTHEST, _FARTHEST, out=residual)
    deviation = deviation_of(root_mean_square(residual), typical)
    regime = np.where(distance > _OUTSIDE, np.uint8(Regime.EXTRAPOLATED), code)
    regime[np.isnan(deviation)] = Regime.UNKNOWN
    distance = np.minimum(distance, _FARTHEST)
    return TwinJudgement(expected=expected, residual=residual, deviation=deviation, regime=regime, distance=distance)


def unjudged(layout: TwinLayout, columns: Mapping[str, Array]) -> TwinJudgement:
    """Return the judgement on rows without a model."""
    rows = columns["ts"].shape[0]
    nothing = np.full((len(layout.responses), rows), np.nan)
    running = is_running(layout.running, columns)
    return TwinJudgement(
        expected=nothing,
        residual=nothing,
        deviation=np.full(rows, np.nan),
        regime=np.where(running, np.uint8(Regime.UNKNOWN), np.uint8(Regime.STOPPED)),
        distance=np.full(rows, np.nan),
    )
