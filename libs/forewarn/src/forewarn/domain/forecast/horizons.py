"""Step length and history for each horizon."""

from dataclasses import dataclass
from typing import Final

from forewarn.domain.time import S_PER_DAY

_HOUR_S: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Step length [s] for horizons up to ``reach_s``, and how many steps of history to use."""

    reach_s: float
    step_s: float
    steps: int


#: Each has about 50 steps of horizon, and enough history to test it a dozen times and to show the seasons.
GRIDS: Final = (
    Grid(reach_s=8 * _HOUR_S, step_s=600.0, steps=576),
    Grid(reach_s=48 * _HOUR_S, step_s=_HOUR_S, steps=720),
    Grid(reach_s=8 * S_PER_DAY, step_s=3 * _HOUR_S, steps=256),
    Grid(reach_s=60 * S_PER_DAY, step_s=S_PER_DAY, steps=240),
)

#: The longest horizon.
LONGEST_S: Final = GRIDS[-1].reach_s


def grid_for(horizon_s: float) -> Grid:
    """Return the finest grid that reaches ``horizon_s``; ValueError if none does."""
    for grid in GRIDS:
        if horizon_s <= grid.reach_s:
            return grid
    raise ValueError(f"a horizon of {horizon_s / S_PER_DAY:g} days is too long: {LONGEST_S / S_PER_DAY:g} at the most")
