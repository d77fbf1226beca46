"""Find ghost sensors: columns that a historian kept although nothing was connected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

#: With fewer values a constant proves nothing.
_LEAST_VALUES: Final = 20

Ghost = Literal["missing", "flat"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Extent:
    """Number of values, smallest and largest of each tag of each asset, shapes (assets, tags)."""

    count: NDArray[np.int64]
    low: FloatArray
    high: FloatArray

    @classmethod
    def blank(cls, assets: int, tags: int) -> "Extent":
        """Return an extent without values."""
        shape = (assets, tags)
        return cls(count=np.zeros(shape, np.int64), low=np.full(shape, np.inf), high=np.full(shape, -np.inf))

    def grown(self, asset: NDArray[np.intp], values: FloatArray, assets: int) -> "Extent":
        """Add rows of assets given by number; there are ``assets`` in all by now."""
        more = Extent.blank(assets, values.shape[1])
        known = self.count.shape[0]
        more.count[:known], more.low[:known], more.high[:known] = self.count, self.low, self.high
        missing = np.isnan(values)
        for number in np.unique(asset).tolist():
            own = asset == number
            more.count[number] += (~missing[own]).sum(axis=0)
            more.low[number] = np.minimum(more.low[number], np.where(missing[own], np.inf, values[own]).min(axis=0))
            more.high[number] = np.maximum(more.high[number], np.where(missing[own], -np.inf, values[own]).max(axis=0))
        return more


def ghosts(extent: Extent, spared: Sequence[int]) -> dict[tuple[int, int], Ghost]:
    """Return ghost sensors by (asset, tag); flat lines of ``spared`` tags are real: a pump may have one speed."""
    found: dict[tuple[int, int], Ghost] = {}
    for asset, tag in np.argwhere(extent.count == 0).tolist():
        found[asset, tag] = "missing"
    flat = (extent.count >= _LEAST_VALUES) & (extent.low == extent.high)
    for asset, tag in np.argwhere(flat).tolist():
        if tag not in spared:
            found[asset, tag] = "flat"
    return found
