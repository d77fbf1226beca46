"""Readings as the validator hands them to the guard."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.frames.frame import MISSING, FloatArray, Strings
from forewarn.domain.guard.batch import RawBatch


def raw_batch(
    asset_class: AssetClass,
    ts_us: ArrayLike,
    values: ArrayLike,
    assets: str | Sequence[str] = "M",
    *,
    received_at_us: ArrayLike | None = None,
    gateway_quality: NDArray[np.uint32] | None = None,
) -> RawBatch:
    """Readings, received when measured and good if not said otherwise; ``values`` in the class's order, (n, tags)."""
    ts = np.asarray(ts_us, dtype=np.int64)
    shape = (ts.size, len(asset_class.tags))
    return RawBatch(
        asset_class=asset_class,
        assets=Strings.of([assets] * ts.size if isinstance(assets, str) else assets),
        ts=ts,
        received_at=ts if received_at_us is None else np.asarray(received_at_us, dtype=np.int64),
        seq=np.full(ts.size, MISSING, dtype=np.int64),
        values=np.asarray(values, dtype=np.float64).reshape(shape),
        gateway_quality=np.zeros(shape, dtype=np.uint32) if gateway_quality is None else gateway_quality,
    )


def rows_of(asset_class: AssetClass, readings: Sequence[Mapping[str, float]]) -> FloatArray:
    """Values of readings, shape (n, tags); NaN where a reading has no such tag."""
    return np.array([[reading.get(tag, np.nan) for tag in asset_class.tag_names] for reading in readings], np.float64)


def columns_of(asset_class: AssetClass, columns: Mapping[str, FloatArray]) -> FloatArray:
    """Values of whole columns, shape (n, tags)."""
    return np.column_stack([columns[tag] for tag in asset_class.tag_names])
