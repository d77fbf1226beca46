"""Ridge regressions from sums over rows: sums of blocks of rows add and subtract.

So leaving out each block in turn costs one small solution instead of one more pass over all rows, and all are solved
together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from forewarn.domain.frames.frame import FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Moments:
    """Sums of a design and of its responses, for any number of sets of rows.

    Both must be around zero, within a few spreads: sums of squares around anything else lose their digits. Shapes:
    ``rows`` (…), ``design`` (…, columns), ``measured`` (…, responses), ``squares`` (…, columns, columns), ``products``
    (…, columns, responses).
    """

    rows: FloatArray
    design: FloatArray
    measured: FloatArray
    squares: FloatArray
    products: FloatArray

    @classmethod
    def of_blocks(cls, design: FloatArray, measured: FloatArray, blocks: Sequence[slice]) -> Self:
        """Sum each block of rows, from shapes (rows, columns) and (rows, responses)."""
        parts = [(design[block], measured[block]) for block in blocks]
        return cls(
            rows=np.array([float(len(x)) for x, _ in parts]),
            design=np.array([x.sum(axis=0) for x, _ in parts]),
            measured=np.array([y.sum(axis=0) for _, y in parts]),
            squares=np.array([x.T @ x for x, _ in parts]),
            products=np.array([x.T @ y for x, y in parts]),
        )

    def total(self) -> Self:
        """Add all sets."""
        return type(self)(
            rows=self.rows.sum(axis=0),
            design=self.design.sum(axis=0),
            measured=self.measured.sum(axis=0),
            squares=self.squares.sum(axis=0),
            products=self.products.sum(axis=0),
        )

    def others(self) -> Self:
        """Return for each set the sums of all others."""
        whole = self.total()
        return type(self)(
            rows=whole.rows - self.rows,
            design=whole.design - self.design,
            measured=whole.measured - self.measured,
            squares=whole.squares - self.squares,
            products=whole.products - self.products,
        )

    def solved(self, penalties: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return regressions with a free intercept.

        ``penalties``, shape (choices, columns), are relative to the number of rows. Intercepts have shape (…, choices,
        responses), slopes (…, choices, columns, responses).
        """
        rows = self.rows[..., None]
        middle, level = self.design / rows, self.measured / rows
        gram = self.squares / rows[..., None] - middle[..., :, None] * middle[..., None, :]
        loaded = gram[..., None, :, :] + penalties[:, :, None] * np.eye(penalties.shape[1])
        right = self.products / rows[..., None] - middle[..., :, None] * level[..., None, :]
        slopes = np.asarray(np.linalg.solve(loaded, right[..., None, :, :]), dtype=np.float64)
        return level[..., None, :] - (middle[..., None, None, :] @ slopes)[..., 0, :], slopes


def left_out(
    design: FloatArray, measured: FloatArray, blocks: Sequence[slice], penalties: FloatArray
) -> tuple[Moments, FloatArray]:
    """Return sums of all rows, and predictions for each block by the others, shape (choices, rows, responses)."""
    sums = Moments.of_blocks(design, measured, blocks)
    intercepts, slopes = sums.others().solved(penalties)
    expected = np.empty((len(penalties), *measured.shape))
    for block, start, own in zip(blocks, intercepts, slopes, strict=True):
        expected[:, block] = start[:, None] + design[block] @ own
    return sums.total(), expected
