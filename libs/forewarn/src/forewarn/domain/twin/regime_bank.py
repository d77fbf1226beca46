"""Operating regimes of the regressions of all assets of a class, side by side."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.twin.ridge import RidgeModel

_FARTHEST: Final = 1e15  # widths; squares must stay finite


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RegimeBank:
    """Attributes as in ``RidgeModel``, with the regime as the first axis, if any, and the asset as the last.

    An asset with fewer regimes than another is padded with unreachable ones.
    """

    centres: FloatArray
    widths: FloatArray
    radius: FloatArray
    levels: FloatArray
    spreads: FloatArray

    @classmethod
    def of(cls, models: list[RidgeModel]) -> "RegimeBank | None":
        """Stack the regimes of the assets; None where each has a single one."""
        most = max(len(model.radius) for model in models)
        if not most:
            return None
        drivers, responses = len(models[0].used), len(models[0].scale)
        shape = (most, len(models))
        bank = cls(
            centres=np.full((most, drivers, len(models)), np.inf),
            widths=np.ones((drivers, len(models))),
            radius=np.full(shape, np.inf),
            levels=np.zeros((most, responses, len(models))),
            spreads=np.full((most, responses, len(models)), np.nan),
        )
        for asset, model in enumerate(models):
            count = len(model.radius)
            if count:
                bank.centres[:count, :, asset], bank.widths[:, asset] = model.centres, model.widths
                bank.radius[:count, asset], bank.levels[:count, :, asset] = model.radius, model.levels
                bank.spreads[:count, :, asset] = model.spreads
            else:  # its only regime is near to everything
                bank.centres[0, :, asset], bank.spreads[0, :, asset] = 0.0, model.scale
        return bank

    def nearest(self, z: FloatArray, asset: NDArray[np.intp]) -> tuple[NDArray[np.intp], FloatArray]:
        """Return each row's regime from standardised drivers, shape (drivers, rows), and its distance over the radius.

        A row with an unknown driver is near to none: its distance is NaN.
        """
        regime, least = np.zeros(asset.size, dtype=np.intp), np.full(asset.size, np.inf)
        for number in range(len(self.radius)):
            distance = np.zeros(asset.size)
            for driver, values in enumerate(z):
                away = (values - self.centres[number, driver][asset]) / self.widths[driver][asset]
                distance += np.minimum(np.abs(away), _FARTHEST) ** 2
            nearer = distance < least
            regime[nearer], least[nearer] = number, distance[nearer]
        least[np.isinf(least)] = np.nan
        return regime, np.sqrt(least) / self.radius[regime, asset]
