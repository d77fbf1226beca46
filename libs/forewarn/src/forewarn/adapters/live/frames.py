"""Reads single rows of frames without decoding the frames.

Nearly every row that passes the API is overwritten by a newer one before anybody looks. So a frame
is only opened and indexed when it comes (asset, time and lateness columns, some 60 µs whatever its
length); a row becomes values when somebody asks for it. Every frame is indexed, none is skipped:
two frames of a partition may hold different assets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forewarn.adapters.arrow_buffers import to_numpy
from forewarn.adapters.arrow_codec import arrow_schema, description_of, may_be_null
from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.frame_checks import TIMES, check_assets, check_codes, check_times
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import (
    BEFORE_THE_COLUMN,
    FRAME_VERSION,
    LARGEST_CODE,
    FrameKind,
    contribution_column,
    expected_column,
    frame_columns,
    quality_column,
    residual_column,
)
from forewarn.domain.frame import NUMPY_DTYPES
from forewarn.domain.rows import to_datetime
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.live import JudgementInShort, LiveJudgement, LiveReading

_MAX_LAYOUTS: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where the columns of frames with one schema are."""

    asset_class: AssetClass
    index: Mapping[str, int]
    required: tuple[str, ...]  #: columns in which nothing may be null


class FrameReader:
    """Opens frames of one kind.

    A writer sends the same schema in front of every frame: it is checked once and recognised by its
    bytes after that.
    """

    def __init__(self, catalogue: Mapping[str, AssetClass], kind: FrameKind) -> None:
        self._catalogue = catalogue
        self._kind = kind
        self._layouts: dict[bytes, _Layout] = {}

    @decoder(InvalidFrame)
    def open(self, data: bytes) -> "FrameRows":
        """Open a frame.

        Raises
        ------
        InvalidFrame
            If the bytes are no frame of this kind, are damaged, or lack a column.
        """
        with pa.ipc.open_stream(data) as reader:
            batch = reader.read_next_batch()
        batch.validate(full=True)  # damaged buffers would crash the process later
        return FrameRows(batch, self._layout(data, batch.schema))

    def _layout(self, data: bytes, schema: pa.Schema) -> _Layout:
        head = description_of(data)
        layout = self._layouts.get(head)
        if layout is None:
            asset_class = _class_of(schema, self._catalogue, self._kind)
            _check_columns(schema, arrow_schema(self._kind, asset_class))
            index = {name: i for i, name in enumerate(schema.names)}
            columns = frame_columns(self._kind, asset_class)
            layout = _Layout(
                asset_class, index, tuple(c.name for c in columns if c.name in index and not may_be_null(c))
            )
            if len(self._layouts) < _MAX_LAYOUTS:
                self._layouts[head] = layout
        return layout


class FrameRows:
    """An opened frame whose rows are read one by one."""

    def __init__(self, batch: pa.RecordBatch, layout: _Layout) -> None:
        self._batch = batch
        self._index = layout.index
        null = next((name for name in layout.required if self._column(name).null_count), None)
        if null is not None:
            raise InvalidFrame(f"column {null!r} must not be null")
        self.asset_class = layout.asset_class
        #: Asset, event time [µs] and row of each asset's newest reading; late ones do not count.
        self.newest = self._newest_rows()

    def _newest_rows(self) -> tuple[tuple[str, int, int], ...]:
        assets, late = self._column("asset_id"), self._column("late")
        in_time = np.flatnonzero(~to_numpy(late, NUMPY_DTYPES["bool"]))
        last = np.full(len(assets.dictionary), -1, dtype=np.int64)
        last[to_numpy(assets.indices, NUMPY_DTYPES["string"])[in_time]] = in_time  # of equal codes the last one stays
        rows = last[last >= 0]
        names = [name for name, row in zip(assets.dictionary.to_pylist(), last.tolist(), strict=True) if row >= 0]
        check_assets(names)
        for name in TIMES:
            check_times(name, self._numbers(name, rows))
        for name in LARGEST_CODE.keys() & self._index.keys():
            check_codes(name, self._numbers(name, rows))
        return tuple(zip(names, self._numbers("ts", rows).tolist(), rows.tolist(), strict=True))

    def reading(self, row: int) -> LiveReading:
        """A row of a frame of kind VALID."""
        tags, columns = self.asset_class.tag_names, self.asset_class.column_names
        return LiveReading(
            ts=self._time("ts", row),
            received_at=self._time("received_at", row),
            findings=self._value("findings", row),
            values={name: self._number(name, row) for name in columns},
            quality={name: self._value(quality_column(name), row) for name in tags},
        )

    def judgement(self, row: int) -> LiveJudgement:
        """A row of a frame of kind ANOMALY."""
        responses = self.asset_class.twin.responses
        return LiveJudgement(
            ts=self._time("ts", row),
            values={name: self._number(name, row) for name in self.asset_class.column_names},
            expected={name: self._number(expected_column(name), row) for name in responses},
            residual={name: self._number(residual_column(name), row) for name in responses},
            contribution={name: self._number(contribution_column(name), row) for name in responses},
            deviation=self._number("deviation", row),
            phase=self._value("phase", row),
            regime=self._value("regime", row),
            model_version=self._value("model_version", row),
            score=self._number("score", row),
            p_value=self._number("p_value", row),
            flag=self._value("flag", row),
            culprit=self._value("culprit", row),
            hint=self._value("hint", row),
        )

    def judgement_in_short(self, row: int) -> JudgementInShort:
        """The same without the tags."""
        return JudgementInShort(
            score=self._number("score", row), flag=bool(self._value("flag", row)), phase=self._value("phase", row)
        )

    def _column(self, name: str) -> pa.Array:
        return self._batch.column(self._index[name])

    def _numbers(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        column = self._column(name)
        return to_numpy(column, NUMPY_DTYPES["uint8" if name in LARGEST_CODE else "timestamp_us"])[rows]

    def _value(self, name: str, row: int) -> Any:  # noqa: ANN401  # the schema was checked: each caller knows its type
        return self._column(name)[row].as_py()

    def _number(self, name: str, row: int) -> float | None:
        value = self._value(name, row)
        return value if value is not None and np.isfinite(value) else None

    def _time(self, name: str, row: int) -> datetime:
        return to_datetime(self._column(name)[row].value)


def _class_of(schema: pa.Schema, catalogue: Mapping[str, AssetClass], kind: FrameKind) -> AssetClass:
    metadata: Mapping[bytes, bytes] = schema.metadata or {}
    found = tuple(metadata.get(key, b"").decode(errors="replace") for key in (b"forewarn.kind", b"forewarn.version"))
    if found != (kind.value, str(FRAME_VERSION)):
        raise InvalidFrame(
            f"expected a {kind.value!r} frame of version {FRAME_VERSION}, found {found[0]!r} {found[1]!r}"
        )
    name = metadata.get(b"forewarn.asset_class", b"").decode(errors="replace")
    if name not in catalogue:
        raise InvalidFrame(f"asset class {name!r} is not in the catalogue ({', '.join(sorted(catalogue))})")
    return catalogue[name]


def _check_columns(found: pa.Schema, wanted: pa.Schema) -> None:
    if found.equals(wanted):
        return  # the usual case; a newer writer may send more columns
    for field in wanted:
        position = found.get_field_index(field.name)
        if position < 0 and field.name in BEFORE_THE_COLUMN:
            continue
        if position < 0:
            raise InvalidFrame(f"column {field.name!r} is missing")
        if found.field(position).type != field.type:
            raise InvalidFrame(f"column {field.name!r} has type {found.field(position).type}, expected {field.type}")
