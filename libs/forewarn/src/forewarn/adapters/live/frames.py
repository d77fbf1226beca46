"""Reads single rows of frames without decoding the frames.

Nearly every row that passes the API is overwritten by a newer one before anybody looks. So a frame
is only opened and indexed when it comes (asset, time and lateness columns, some 60 µs whatever its
length); a row becomes values when somebody asks for it. Every frame is indexed, none is skipped:
two frames of a partition may hold different assets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from forewarn.adapters.arrow_buffers import to_numpy
from forewarn.adapters.arrow_codec import arrow_schema
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import (
    BEFORE_THE_COLUMN,
    FRAME_VERSION,
    FrameKind,
    contribution_column,
    expected_column,
    quality_column,
    residual_column,
)
from forewarn.domain.frame import NUMPY_DTYPES
from forewarn.domain.rows import to_datetime, to_microseconds
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.live import JudgementInShort, LiveJudgement, LiveReading

_LATEST_US: Final = to_microseconds(datetime(9000, 1, 1, tzinfo=UTC))
_MAX_LAYOUTS: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where the columns of frames with one schema are."""

    asset_class: AssetClass
    index: Mapping[str, int]


class FrameReader:
    """Opens frames of one kind.

    A writer sends the same schema in front of every frame: it is checked once and recognised by its
    bytes after that.
    """

    def __init__(self, catalogue: Mapping[str, AssetClass], kind: FrameKind) -> None:
        self._catalogue = catalogue
        self._kind = kind
        self._layouts: dict[bytes, _Layout] = {}

    def open(self, data: bytes) -> "FrameRows":
        """Open a frame.

        Raises
        ------
        InvalidFrame
            If the bytes are no frame of this kind, are damaged, or lack a column.
        """
        try:
            with pa.ipc.open_stream(data) as reader:
                batch = reader.read_next_batch()
            batch.validate(full=True)  # damaged buffers would crash the process later
        except (pa.ArrowException, OSError, ValueError, StopIteration) as exc:
            raise InvalidFrame(f"not an Arrow IPC stream with a record batch: {exc}") from exc
        return FrameRows(batch, self._layout(data, batch.schema))

    def _layout(self, data: bytes, schema: pa.Schema) -> _Layout:
        # A stream begins with its schema: four bytes of 0xFF, its length, itself.
        head = data[: 8 + int.from_bytes(data[4:8], "little")]
        layout = self._layouts.get(head)
        if layout is None:
            asset_class = _class_of(schema, self._catalogue, self._kind)
            _check_columns(schema, arrow_schema(self._kind, asset_class))
            layout = _Layout(asset_class, {name: i for i, name in enumerate(schema.names)})
            if len(self._layouts) < _MAX_LAYOUTS:
                self._layouts[head] = layout
        return layout


class FrameRows:
    """An opened frame whose rows are read one by one."""

    def __init__(self, batch: pa.RecordBatch, layout: _Layout) -> None:
        self._batch = batch
        self._index = layout.index
        self.asset_class = layout.asset_class
        #: Asset, event time [µs] and row of each asset's newest reading; late ones do not count.
        self.newest = self._newest_rows()

    def _newest_rows(self) -> tuple[tuple[str, int, int], ...]:
        assets, times, late = self._column("asset_id"), self._column("ts"), self._column("late")
        if assets.null_count or times.null_count or late.null_count:
            raise InvalidFrame("asset_id, ts and late must not be null")
        in_time = np.flatnonzero(~to_numpy(late, NUMPY_DTYPES["bool"]))
        last = np.full(len(assets.dictionary), -1, dtype=np.int64)
        last[to_numpy(assets.indices, NUMPY_DTYPES["string"])[in_time]] = in_time  # of equal codes the last one stays
        rows = last[last >= 0]
        names = [name for name, row in zip(assets.dictionary.to_pylist(), last.tolist(), strict=True) if row >= 0]
        at_us = to_numpy(times, NUMPY_DTYPES["timestamp_us"])[rows]
        if (np.abs(at_us) > _LATEST_US).any():
            raise InvalidFrame("an event time is beyond the year 9000")
        return tuple(zip(names, at_us.tolist(), rows.tolist(), strict=True))

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
