"""Stored readings as a frame, for the twin to learn from history."""

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FINDINGS, FrameKind, Verdict, quality_column
from forewarn.domain.frames.frame import MISSING, Array, Frame, Strings
from forewarn.domain.time import to_microseconds
from forewarn.ports.history import History, RollUp


def valid_frame(history: History, asset_class: AssetClass) -> Frame:
    """Make a VALID frame of one asset's raw readings, marked historical.

    Raises
    ------
    ValueError
        If the history is rolled up, of another class or lacks a column.
    """
    series = {item.column: item for item in history.series}
    missing = [name for name in asset_class.column_names if name not in series]
    if history.roll_up is not RollUp.RAW or history.asset_class != asset_class.name or missing:
        raise ValueError(f"not all raw readings of a {asset_class.name}: {history.roll_up}, lacks {missing}")
    rows = len(history.ts)
    ts = np.array([to_microseconds(at) for at in history.ts], dtype=np.int64)
    arrays: dict[str, Array] = {
        "ts": ts,
        "received_at": ts,
        "seq": np.full(rows, MISSING, dtype=np.int64),
        "late": np.zeros(rows, dtype=np.bool_),
        "verdict": np.full(rows, Verdict.ACCEPTED, dtype=np.uint8),
        "historical": np.ones(rows, dtype=np.bool_),
    }
    for name in asset_class.column_names:
        arrays[name] = np.array([np.nan if v is None else v for v in series[name].values], dtype=np.float64)
    for tag in asset_class.tag_names:
        arrays[quality_column(tag)] = np.array(series[tag].quality, dtype=np.uint32)
    strings = {
        "asset_id": Strings(np.zeros(rows, dtype=np.int32), (history.asset_id,)),
        FINDINGS.name: Strings(np.full(rows, MISSING, dtype=np.int32), ()),
    }
    return Frame(kind=FrameKind.VALID, asset_class=asset_class, arrays=arrays, strings=strings)
