"""Small classes of machines and builders of frames for the tests of twin and anomaly."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind, frame_columns
from forewarn.domain.frames.frame import MISSING, NUMPY_DTYPES, Frame, Strings, concat
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step

S = 1_000_000
T0 = 1_790_000_000 * S


def tag(name, low, high):
    return {"name": name, "title": name, "unit": "1", "engineering_range": [low, high]}


#: Driven by load and air: two responses.
DRIVEN = AssetClass.model_validate(
    {
        "name": "driven",
        "title": "Driven machine",
        "tags": [tag("load", 0, 100), tag("air", -20, 50), tag("power", 0, 200), tag("heat", 0, 150)],
        "twin": {
            "drivers": ["load", "air"],
            "responses": ["power", "heat"],
            "running": {"column": "load", "above": 5},
            "baseline_readings": 60,
        },
    }
)

#: Four tags that follow one hidden state, none of them a driver.
COUPLED = AssetClass.model_validate(
    {
        "name": "coupled",
        "title": "Coupled machine",
        "tags": [tag(name, -10, 10) for name in ("a", "b", "c", "d")],
        "twin": {"responses": ["a", "b", "c", "d"], "baseline_readings": 60},
    }
)


def driven(rows, seed=1, asset="M-1", start=0, every_s=1.0, **changes):
    """A healthy driven machine; ``changes`` replace columns."""
    rng = np.random.default_rng(seed)
    load = 50 + 20 * np.sin(np.arange(start, start + rows) / 7.0) + rng.normal(0, 1, rows)
    air = 20 + 3 * np.cos(np.arange(start, start + rows) / 11.0) + rng.normal(0, 0.2, rows)
    columns = {
        "load": load,
        "air": air,
        "power": 10 + 0.8 * load + 0.004 * load**2 + rng.normal(0, 0.5, rows),
        "heat": 30 + 0.3 * load + 0.9 * air + rng.normal(0, 0.4, rows),
    }
    return frame(DRIVEN, {**columns, **changes}, asset=asset, start=start, every_s=every_s)


def coupled(rows, seed=1, asset="M-1", start=0, every_s=1.0, **changes):
    """A healthy coupled machine; ``changes`` replace columns."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(0, 1, rows)
    weights = {"a": 1.0, "b": -0.7, "c": 0.5, "d": 0.2}
    columns = {name: weight * hidden + rng.normal(0, 0.3, rows) for name, weight in weights.items()}
    return frame(COUPLED, {**columns, **changes}, asset=asset, start=start, every_s=every_s)


def frame(
    asset_class: AssetClass,
    columns: Mapping[str, np.ndarray],
    asset: str = "M-1",
    start: int = 0,
    every_s: float = 1.0,
) -> Frame:
    """A frame of kind VALID of one asset."""
    rows = len(next(iter(columns.values())))
    ts = T0 + ((start + np.arange(rows)) * every_s * S).astype(np.int64)
    arrays = {}
    for column in frame_columns(FrameKind.VALID, asset_class):
        dtype = NUMPY_DTYPES[column.dtype]
        if column.dtype == "string":
            continue
        if column.name in columns:
            arrays[column.name] = np.asarray(columns[column.name]).astype(dtype)
        elif column.name in ("ts", "received_at"):
            arrays[column.name] = ts
        elif column.name == "seq":
            arrays[column.name] = np.arange(start, start + rows, dtype=dtype)
        else:
            arrays[column.name] = np.zeros(rows, dtype=dtype)
    findings = Strings(np.full(rows, MISSING, dtype=np.int32), ())
    return Frame(
        kind=FrameKind.VALID,
        asset_class=asset_class,
        arrays=arrays,
        strings={"asset_id": Strings.of([asset] * rows), "findings": findings},
    )


def interleaved(frames: Sequence[Frame], seed: int) -> Frame:
    """Rows of several assets mixed at random, those of each asset in order."""
    whole = concat(frames)
    owner = np.repeat(np.arange(len(frames)), [f.rows for f in frames])
    mixed = np.random.default_rng(seed).permutation(owner)
    position = np.argsort(np.argsort(mixed, kind="stable"), kind="stable")
    return whole.take(np.argsort(owner, kind="stable")[position])


def chunks(whole: Frame, cuts: Sequence[int]) -> list[Frame]:
    """Cut a frame at these rows."""
    bounds = [0, *sorted({c for c in cuts if 0 < c < whole.rows}), whole.rows]
    return [whole.take(np.arange(a, b)) for a, b in pairwise(bounds)]


def run_twin(parts: Sequence[Frame], settings: TwinSettings | None = None, state: TwinState | None = None):
    """Feed frames one after another; returns state, all rows as one frame (or None), fitted models."""
    state = state or TwinState.empty(parts[0].asset_class)
    out, fitted = [], []
    for part in parts:
        state, frames, new = step(state, part, settings or TwinSettings())
        out += frames
        fitted += new
    return state, concat(out) if out else None, fitted


def of_asset(whole: Frame, asset: str) -> Frame:
    """Rows of one asset, in order."""
    return whole.take(np.array([name == asset for name in whole.assets.to_list()]))


def assert_same_rows(one: Frame, other: Frame) -> None:
    """Bit-identical frames of one asset."""
    assert one.rows == other.rows
    for name, values in one.arrays.items():
        np.testing.assert_array_equal(values, other.arrays[name], err_msg=name)
    for name, texts in one.strings.items():
        assert texts.to_list() == other.strings[name].to_list(), name
