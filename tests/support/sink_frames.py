"""Frames with numbered readings, as the validator and the anomaly stage would write them."""

from collections.abc import Iterator, Sequence

import numpy as np

from forewarn.adapters.frames.codec import encode_frame
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind, frame_columns
from forewarn.contracts.quality import StatusCode
from forewarn.domain.frames.frame import MISSING, NUMPY_DTYPES, Array, Frame, Strings
from forewarn.testing.frames import START_US

_CODES = np.array([int(code) for code in StatusCode], dtype=np.uint32)


def random_frame(
    kind: FrameKind,
    asset_class: AssetClass,
    asset_ids: Sequence[str],
    ts_us: Sequence[int],
    rng: np.random.Generator,
    *,
    nulls: float = 0.2,
    late: bool = False,
) -> Frame:
    """Any values, a share ``nulls`` of them unknown; every quality code occurs."""
    rows = len(asset_ids)
    arrays: dict[str, Array] = {}
    strings = {"asset_id": Strings.of(asset_ids)}
    for column in frame_columns(kind, asset_class):
        missing = rng.random(rows) < nulls
        dtype = NUMPY_DTYPES[column.dtype]
        if column.name == "asset_id":
            continue
        if column.name in ("ts", "received_at"):
            arrays[column.name] = np.asarray(ts_us, dtype=np.int64)
        elif column.name in ("late", "historical"):
            arrays[column.name] = np.full(rows, late and column.name == "late")
        elif column.name.startswith("quality_"):
            arrays[column.name] = np.where(missing, rng.choice(_CODES, rows), 0).astype(np.uint32)
        elif column.dtype == "string":
            texts = np.array(["a", "längerer Text: µ", "x" * 70], dtype=object)[rng.integers(0, 3, rows)]
            strings[column.name] = Strings.of(
                [None if gone else str(t) for gone, t in zip(missing, texts, strict=True)]
            )
        elif column.dtype in ("float64", "float32"):
            arrays[column.name] = np.where(missing, np.nan, rng.normal(50, 20, rows)).astype(dtype)
        elif column.dtype == "int64":
            arrays[column.name] = np.where(missing, MISSING, rng.integers(0, 2**40, rows)).astype(dtype)
        else:
            arrays[column.name] = rng.integers(0, 2, rows).astype(dtype)
    return Frame(kind=kind, asset_class=asset_class, arrays=arrays, strings=strings)


def numbered_frames(
    kind: FrameKind, asset_class: AssetClass, *, partition: int, readings: int, per_frame: int, assets: int = 4
) -> Iterator[Frame]:
    """``readings`` readings numbered by ``seq`` from 0, of assets whose names carry the partition.

    Reading n belongs to asset n mod ``assets`` and to second n // ``assets``, so each (asset, instant)
    occurs once.
    """
    rng = np.random.default_rng(partition)
    for start in range(0, readings, per_frame):
        numbers = np.arange(start, min(start + per_frame, readings))
        names = [f"N-{partition:02d}-{number % assets}" for number in numbers.tolist()]
        times = START_US + numbers // assets * 1_000_000
        frame = random_frame(kind, asset_class, names, times.tolist(), rng, nulls=0.0)
        arrays = {**frame.arrays}
        if kind is FrameKind.VALID or "seq" in arrays:
            arrays["seq"] = numbers.astype(np.int64)
        yield Frame(kind=kind, asset_class=asset_class, arrays=arrays, strings=frame.strings)


def encoded(frames: Iterator[Frame]) -> list[bytes]:
    """Frames as they travel."""
    return [encode_frame(frame) for frame in frames]
