"""Build frames from the few columns that a test is about; the rest is a healthy machine."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forewarn.contracts.asset_class import AssetClass, HealthInput
from forewarn.contracts.frames import Column, FrameKind, Phase, frame_columns
from forewarn.domain.frames.frame import MISSING, NUMPY_DTYPES, Array, Frame, Strings
from forewarn.domain.time import US_PER_S

START_US: Final = 1_795_204_800_000_000  #: 2026-11-20T20:00:00Z


def anomaly_frame(
    asset_class: AssetClass,
    asset_ids: Sequence[str],
    ts_us: ArrayLike,
    columns: Mapping[str, ArrayLike] | None = None,
    *,
    culprit: Sequence[str | None] | None = None,
    kind: FrameKind = FrameKind.ANOMALY,
) -> Frame:
    """Build a frame, by default of kind ANOMALY and phase LIVE.

    ``asset_ids`` names the asset of each row, ``ts_us`` its event time, µs since 1970 UTC, shape (n,); ``culprit`` its
    most contributing tag. ``columns`` holds scalars or shape (n,). Defaults: tags and derived quantities with a health
    metric are ``good``, others in the middle of their range; expected equals measured; residuals, deviation and score
    are 0, p-value 1. Kind VALID omits the later stages' columns. Raises ValueError if such frames lack one of
    ``columns``.
    """
    given = dict(columns or {})
    unknown = given.keys() - {column.name for column in frame_columns(kind, asset_class)}
    if unknown:
        raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
    times = np.asarray(ts_us, dtype=np.int64)
    arrays = {
        column.name: _filled(column, given.get(column.name, _healthy(column, asset_class, given)), times)
        for column in frame_columns(kind, asset_class)
        if column.dtype != "string"
    }
    none: list[str | None] = [None] * times.size
    texts: dict[str, list[str | None]] = {
        "asset_id": list(asset_ids),
        "findings": none,
        "culprit": list(culprit or none),
    }
    strings = {
        column.name: Strings.of(texts[column.name])
        for column in frame_columns(kind, asset_class)
        if column.dtype == "string"
    }
    return Frame(kind=kind, asset_class=asset_class, arrays=arrays, strings=strings)


def timestamps_us(count: int, *, start_s: float = 0.0, step_s: float = 1.0) -> NDArray[np.int64]:
    """Return event times from ``start_s`` after START_US."""
    offsets = (start_s + step_s * np.arange(count)) * US_PER_S
    return START_US + np.round(offsets).astype(np.int64)


def _filled(column: Column, value: ArrayLike, times: NDArray[np.int64]) -> Array:
    if column.name in ("ts", "received_at"):
        return times
    out = np.empty(times.shape, dtype=NUMPY_DTYPES[column.dtype])
    out[:] = np.asarray(value)
    return out


def _healthy(column: Column, asset_class: AssetClass, given: Mapping[str, ArrayLike]) -> ArrayLike:
    constants: dict[str, float] = {"seq": MISSING, "phase": Phase.LIVE, "model_version": 1, "p_value": 1.0}
    if column.name in constants:
        return constants[column.name]
    if column.name.startswith("expected_"):
        response = column.name.removeprefix("expected_")
        return given.get(response, _normal(response, asset_class))
    return _normal(column.name, asset_class)


def _normal(name: str, asset_class: AssetClass) -> float:
    for item in asset_class.health:
        if name in item.columns:
            return _good(item)
    for tag in asset_class.tags:
        if tag.name == name:
            return sum(tag.engineering_range) / 2.0
    return 0.0


def _good(item: HealthInput) -> float:
    """Return a value with the full score, on any machine."""
    if item.good is not None:
        return item.good
    if item.bands is not None:
        first, second, *_ = item.bands
        return first - (second - first)
    return 0.0  # less is better by every standard
