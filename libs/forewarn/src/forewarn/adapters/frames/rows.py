"""Reads single rows of frames without decoding the frames.

Nearly every row that reaches the API is replaced before anybody looks. So an arriving frame is only opened and
indexed (asset, time and lateness columns, some 100 µs whatever its length), and a row is decoded on request. Rows that
must outlive their frame are copied out of it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.frames.buffers import present, to_numpy
from forewarn.adapters.frames.checks import MAX_TEXT_CHARACTERS, check_assets, check_values, is_checked
from forewarn.adapters.frames.codec import OpenedFrame, open_frame
from forewarn.adapters.frames.packed import PackedRow, RowShape, row_shape
from forewarn.contracts.answers.assets import LiveJudgement
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import Column, FrameKind, frame_columns
from forewarn.domain.frames.frame import MISSING, NUMPY_DTYPES
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.live import JudgementInShort, NewestReading


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where the columns of a kind and class are."""

    places: Mapping[str, tuple[int, np.dtype[Any]]]
    required: tuple[tuple[int, str], ...]
    checked: tuple[Column, ...]
    shape: RowShape
    numbers: tuple[tuple[int, np.dtype[Any]], ...]


@lru_cache(maxsize=512)
def _layout(kind: FrameKind, asset_class: AssetClass) -> _Layout:
    columns, shape = frame_columns(kind, asset_class), row_shape(kind, asset_class)
    places = {column.name: (place, NUMPY_DTYPES[column.dtype]) for place, column in enumerate(columns)}
    return _Layout(
        places=places,
        required=tuple((place, column.name) for place, column in enumerate(columns) if not column.nullable),
        checked=tuple(filter(is_checked, columns)),
        shape=shape,
        numbers=tuple(places[name] for name in shape.numbers),
    )


class FrameRows:
    """An opened frame whose rows are read one by one.

    Attributes
    ----------
    size_bytes
        Of the message, which all rows keep in memory.
    newest
        Asset, event time [µs] and row of each asset's newest reading; late ones do not count.
    """

    def __init__(self, opened: OpenedFrame, size_bytes: int) -> None:
        self.asset_class = opened.asset_class
        self.size_bytes = size_bytes
        self._batch = opened.batch
        self._layout = _layout(opened.kind, opened.asset_class)
        null = next((name for place, name in self._layout.required if self._batch.column(place).null_count), None)
        if null is not None:
            raise InvalidFrame(f"column {null!r} must not be null")
        self.newest = self._newest_rows()

    @classmethod
    @decoder(InvalidFrame)
    def read(cls, data: bytes, catalogue: Mapping[str, AssetClass], kind: FrameKind) -> "FrameRows":
        """Open a frame.

        Raises
        ------
        InvalidFrame
            If the bytes are not a sound frame of this kind.
        """
        return cls(open_frame(data, catalogue, kind), len(data))

    def _newest_rows(self) -> tuple[tuple[str, int, int], ...]:
        assets, late = self._column("asset_id"), self._column("late")
        in_time = np.flatnonzero(~to_numpy(late, NUMPY_DTYPES["bool"]))
        last = np.full(len(assets.dictionary), -1, dtype=np.int64)
        if assets.dictionary.null_count:
            raise InvalidFrame("column 'asset_id' has a null in its dictionary")
        last[to_numpy(assets.indices, NUMPY_DTYPES["string"])[in_time]] = in_time  # of equal codes the last one wins
        rows = last[last >= 0]
        names = [name for name, row in zip(assets.dictionary.to_pylist(), last.tolist(), strict=True) if row >= 0]
        check_assets(names)
        for column in self._layout.checked:
            check_values(column, self._numbers(column.name)[rows])
        return tuple(zip(names, self._numbers("ts")[rows].tolist(), rows.tolist(), strict=True))

    def pack(self, rows: Sequence[int]) -> list[PackedRow]:
        """Copy rows out of the frame, many for little more than one."""
        shape = self._layout.shape
        chosen = np.asarray(rows, dtype=np.intp)
        numbers = np.empty((len(rows), len(shape.numbers)), dtype=np.float64)
        for position, (place, dtype) in enumerate(self._layout.numbers):
            column = self._batch.column(place)
            numbers[:, position] = to_numpy(column, dtype, null=0)[chosen]
            if column.null_count:
                numbers[~present(column)[chosen], position] = np.nan
        texts = zip(*(self._texts(name, chosen) for name in shape.texts), strict=True)
        return [PackedRow(shape, row.tobytes(), own) for row, own in zip(numbers, texts, strict=True)]

    def reading(self, row: int) -> NewestReading:
        """Decode a row of a VALID frame; raises ``InvalidFrame`` for an impossible value."""
        return self.pack([row])[0].reading()

    def judgement(self, row: int) -> LiveJudgement:
        """Decode a row of an ANOMALY frame; raises ``InvalidFrame`` for an impossible value."""
        return self.pack([row])[0].judgement()

    def judgement_in_short(self, row: int) -> JudgementInShort:
        """Decode a row of an ANOMALY frame without the tags."""
        score, flag, phase = (self._column(name)[row].as_py() for name in ("score", "flag", "phase"))
        known = score is not None and math.isfinite(score)
        return JudgementInShort(score=score if known else None, flag=bool(flag), phase=phase)

    def _texts(self, name: str, rows: NDArray[np.intp]) -> list[str | None]:
        column = self._column(name)
        codes = to_numpy(column.indices, NUMPY_DTYPES["string"], null=MISSING)[rows].tolist()
        # Value by value: the dictionary may be long, and few of its entries are used.
        return [None if code < 0 else _short_text(column.dictionary[code].as_py()) for code in codes]

    def _column(self, name: str) -> pa.Array:
        return self._batch.column(self._layout.places[name][0])

    def _numbers(self, name: str) -> NDArray[Any]:
        place, dtype = self._layout.places[name]
        return to_numpy(self._batch.column(place), dtype)


def _short_text(text: str | None) -> str | None:
    return None if text is None else text[:MAX_TEXT_CHARACTERS]
