"""The twin's view of a class, computed once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.guard_rules import Condition
from forewarn.domain.frames.conditions import is_running
from forewarn.domain.frames.frame import Array, FloatArray
from forewarn.domain.twin.physics import NO_PRIORS, Priors, priors_of

#: Share of a tag's engineering range that counts as no change of a driver, about a sensor's accuracy. It keeps the twin
#: from learning slopes from noise alone.
IMMATERIAL: Final = 0.002

#: With more drivers there are squares but no products, whose number is quadratic.
MAX_CROSSED_DRIVERS: Final = 6

#: Far beyond any quantity of a plant in any unit; sums of squares of larger values overflow.
ABSURD: Final = 1e15


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TwinLayout:
    """Columns of a twin."""

    #: Inputs, outputs, and both (each once).
    drivers: tuple[str, ...]
    responses: tuple[str, ...]
    columns: tuple[str, ...]
    #: Engineering ranges in the columns' units; NaN for derived quantities, which have none.
    driver_spans: FloatArray
    response_spans: FloatArray
    #: Second-order terms of the regression: positions of the two multiplied drivers.
    pairs: tuple[tuple[int, int], ...]
    running: Condition | None  #: The twin judges only while this holds.
    baseline_readings: int
    priors: Priors = NO_PRIORS  #: Physics priors of the responses.

    def is_usable(self, columns: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Return the readings that count towards the baseline: on time, running, some response known, nothing absurd.

        The number of known tags does not matter: many machines lack sensors. The fit leaves out tags that are missing
        too often.
        """
        known = np.zeros(columns["ts"].shape, dtype=np.bool_)
        for name in self.responses:
            known |= ~np.isnan(columns[name])
        usable: NDArray[np.bool_] = is_running(self.running, columns) & ~columns["late"] & known
        for name in self.columns:
            usable &= ~(np.abs(columns[name]) > ABSURD)
        return usable


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ClassLayout(TwinLayout):
    """Columns of the twin of one class."""

    asset_class: AssetClass


def products_of(drivers: int) -> tuple[tuple[int, int], ...]:
    """Return the second-order terms of this many drivers: squares, and products if not too many."""
    squares = [(i, i) for i in range(drivers)]
    crossed = [(i, j) for i in range(drivers) for j in range(i + 1, drivers)] if drivers <= MAX_CROSSED_DRIVERS else []
    return (*squares, *crossed)


@lru_cache(maxsize=256)
def layout_of(asset_class: AssetClass) -> ClassLayout:
    """Compute the layout of a class; a tag named both driver and response is only a response.

    Raises ValueError if a physics term cannot be computed.
    """
    spec = asset_class.twin
    drivers = tuple(name for name in spec.drivers if name not in spec.responses)
    spans = {tag.name: tag.engineering_range[1] - tag.engineering_range[0] for tag in asset_class.tags}
    return ClassLayout(
        asset_class=asset_class,
        drivers=drivers,
        responses=spec.responses,
        columns=(*drivers, *spec.responses),
        driver_spans=np.array([spans.get(name, np.nan) for name in drivers]),
        response_spans=np.array([spans.get(name, np.nan) for name in spec.responses]),
        pairs=products_of(len(drivers)),
        running=spec.running,
        baseline_readings=spec.baseline_readings,
        priors=priors_of(asset_class),
    )
