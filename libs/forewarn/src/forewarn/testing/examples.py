"""Small, plausible, deterministic frames of any kind and class; and the writer of the committed golden frames.

``python -m forewarn.testing.examples schemas/examples/frames`` writes the missing frames, each with its content as
JSON. It never overwrites one: golden frames were really written by an older version.
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import encode_frame
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FRAME_VERSION, Column, FrameKind, frame_columns
from forewarn.contracts.quality import StatusCode
from forewarn.domain.frames.frame import MISSING, NUMPY_DTYPES, Array, Frame, Strings
from forewarn.domain.time import US_PER_S

GOLDEN_CLASS: Final = "centrifugal_pump"

_START_US: Final = 1_795_204_800_000_000  # 2026-11-20T20:00:00Z
_ASSETS: Final = ("P-101", "P-102")


def example_frame(kind: FrameKind, asset_class: AssetClass, rows: int = 4) -> Frame:
    """Build readings of two machines in turn, one a second, with every kind of gap: NaN, no counter, no text."""
    columns = frame_columns(kind, asset_class)
    ranges = {tag.name: tag.engineering_range for tag in asset_class.tags}
    return Frame(
        kind=kind,
        asset_class=asset_class,
        arrays={c.name: _values(c, ranges, rows) for c in columns if c.dtype != "string"},
        strings={c.name: _texts(c, rows) for c in columns if c.dtype == "string"},
    )


def golden_name(kind: FrameKind) -> str:
    """Return the file name of a golden frame."""
    return f"{kind.value}.{GOLDEN_CLASS}.v{FRAME_VERSION}.arrow"


def write_missing(directory: Path) -> Iterator[Path]:
    """Write the golden frames that do not exist yet and return their names."""
    asset_class = load_catalogue()[GOLDEN_CLASS]
    directory.mkdir(parents=True, exist_ok=True)
    for kind in FrameKind:
        path = directory / golden_name(kind)
        if not path.exists():
            frame = example_frame(kind, asset_class)
            path.write_bytes(encode_frame(frame))
            path.with_suffix(".json").write_text(_one_line_per_column(content(frame)), encoding="utf-8")
            yield path


def content(frame: Frame) -> dict[str, list[object]]:
    """Return values by column, in JSON types: unknown numbers and texts are None."""
    return {
        **{
            name: [None if isinstance(v, float) and math.isnan(v) else v for v in values.tolist()]
            for name, values in frame.arrays.items()
        },
        **{name: list(strings.to_list()) for name, strings in frame.strings.items()},
    }


def _one_line_per_column(columns: dict[str, list[object]]) -> str:
    lines = (f"  {json.dumps(name)}: {json.dumps(values)}" for name, values in columns.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _texts(column: Column, rows: int) -> Strings:
    if column.name == "asset_id":
        return Strings.of([_ASSETS[row % 2] for row in range(rows)])
    return Strings.of([None if row % 2 == 0 else f"{column.name}-{row}" for row in range(rows)])


def _values(column: Column, ranges: dict[str, tuple[float, float]], rows: int) -> Array:
    row = np.arange(rows)
    dtype = NUMPY_DTYPES[column.dtype]
    if column.dtype == "timestamp_us":
        delay_us = 40_000 if column.name == "received_at" else 0
        return (_START_US + delay_us + row * US_PER_S).astype(dtype)
    if column.dtype == "int64":
        return np.where(row == 1, MISSING, row).astype(dtype)
    if column.dtype == "uint32":
        return np.where(row == 1, StatusCode.UNCERTAIN, StatusCode.GOOD).astype(dtype)
    if column.dtype in ("uint8", "bool"):
        return (row % 2).astype(dtype)
    low, high = ranges.get(column.name, (0.0, 1.0))
    return np.where(row == rows - 1, np.nan, low + (high - low) * (0.5 + 0.01 * row)).astype(dtype)


def main(arguments: Sequence[str]) -> None:
    """Write missing golden frames into the given directory."""
    for path in write_missing(Path(arguments[0] if arguments else "schemas/examples/frames")):
        sys.stdout.write(f"wrote {path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
