"""Converts pieces of a file into readings: time, asset, and values in the units of the class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forewarn.adapters.importing.rejects import Rejects
from forewarn.adapters.importing.source import Piece, SourceFile
from forewarn.adapters.importing.times import TimeReader, joined
from forewarn.adapters.tables.arrow_types import ArrowArray
from forewarn.adapters.tables.columns import to_numbers
from forewarn.adapters.tables.table import TableError
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.importing import ImportMapping
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.importing.gaps import UNCERTAIN
from forewarn.domain.physics.units import Conversion, conversion

_BAD: Final = 2
_GOOD_WORDS: Final = frozenset({"good", "ok", "g", "valid", "true", ""})
_UNCERTAIN_WORDS: Final = frozenset({"uncertain", "questionable", "suspect", "estimated", "substituted", "u"})
_DA_GOOD, _DA_UNCERTAIN = 192, 64  #: OPC DA: the two highest bits of the quality


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Converted:
    """Rows of a piece, in file order; ``asset`` numbers the names that the converter has met."""

    ts: NDArray[np.int64]
    asset: NDArray[np.intp]
    numbers: NDArray[np.int64]
    values: FloatArray
    quality: NDArray[np.uint8]


class Converter:
    """Converts the pieces of one file in their order."""

    def __init__(
        self, source: SourceFile, mapping: ImportMapping, asset_class: AssetClass, *, descending: bool, latest_us: int
    ) -> None:
        self._source = source
        self._mapping = mapping
        self._latest_us = latest_us
        self._times = TimeReader(mapping.time, decimal_comma=source.decimal_comma, descending=descending)
        units = {tag.name: tag.unit for tag in asset_class.tags}
        self.tags = tuple(column.tag for column in mapping.columns.values())
        self._conversions = [
            Conversion() if column.unit is None else conversion(column.unit, units[column.tag])
            for column in mapping.columns.values()
        ]
        self.assets: list[str] = [] if mapping.asset is None else [mapping.asset]
        self.repeated_times = 0  #: repeated times because clocks went back

    def convert(self, piece: Piece, rejects: Rejects) -> Converted:
        """Convert a piece; what cannot be used goes to the rejects."""
        asset, nameless = self._assets(piece)
        series: list[object] | None = asset.tolist() if self._mapping.asset is None else None
        if self._mapping.long is not None:
            names = piece.columns[self._mapping.long.tag].cast(pa.string()).to_pylist()
            series = list(zip(asset.tolist(), names, strict=True))
        times = self._times.read(piece, series)
        self.repeated_times += times.doubled
        if self._mapping.long is None:
            values, quality = self._wide(piece, rejects)
        else:
            values, quality = self._long(piece, rejects)
        problems = {**times.problems, **nameless}
        future = np.flatnonzero(times.us > self._latest_us).tolist()
        problems |= {row: "the time is in the future" for row in future if row not in problems}
        if problems:
            self._refuse(piece, problems, rejects)
        good = np.ones(piece.rows, dtype=np.bool_)
        good[list(problems)] = False
        said = ~np.isnan(values).all(axis=1)
        for row in np.flatnonzero(good & ~said).tolist():
            rejects.add(int(piece.numbers[row]), "no value", "")
        kept = np.flatnonzero(good & said)
        return Converted(
            ts=times.us[kept],
            asset=asset[kept],
            numbers=piece.numbers[kept],
            values=values[kept],
            quality=quality[kept],
        )

    def _assets(self, piece: Piece) -> tuple[NDArray[np.intp], dict[int, str]]:
        column = self._mapping.asset_column
        if column is None:
            return np.zeros(piece.rows, dtype=np.intp), {}
        coded = piece.columns[column].cast(pa.string()).dictionary_encode()
        table = []
        for name in coded.dictionary.to_pylist():
            asset_id = self._mapping.asset_names.get(name, name)
            if asset_id not in self.assets:
                self.assets.append(asset_id)
            table.append(self.assets.index(asset_id))
        codes = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        nameless = np.flatnonzero(coded.indices.is_null().to_numpy(zero_copy_only=False)).tolist()
        numbers = np.array(table or [0], dtype=np.intp)[codes]
        return numbers, dict.fromkeys(nameless, "no asset")

    def _wide(self, piece: Piece, rejects: Rejects) -> tuple[FloatArray, NDArray[np.uint8]]:
        values = np.full((piece.rows, len(self.tags)), np.nan)
        quality = np.zeros(values.shape, dtype=np.uint8)
        for position, (name, column) in enumerate(self._mapping.columns.items()):
            values[:, position] = self._numbers(piece, name, rejects, self._conversions[position])
            if column.quality is not None:
                quality[:, position] = _quality(piece.columns[column.quality])
        return values, quality

    def _long(self, piece: Piece, rejects: Rejects) -> tuple[FloatArray, NDArray[np.uint8]]:
        layout = self._mapping.long
        if layout is None:
            raise ValueError("the file has no tag column")
        values = np.full((piece.rows, len(self.tags)), np.nan)
        quality = np.zeros(values.shape, dtype=np.uint8)
        position = {name: number for number, name in enumerate(self._mapping.columns)}
        coded = piece.columns[layout.tag].cast(pa.string()).dictionary_encode()
        table = np.array([position.get(name, -1) for name in coded.dictionary.to_pylist()] or [-1], dtype=np.intp)
        tag = np.where(
            coded.indices.is_null().to_numpy(zero_copy_only=False),
            -1,
            table[coded.indices.fill_null(0).to_numpy(zero_copy_only=False)],
        )
        numbers = self._numbers(piece, layout.value, rejects, Conversion())
        rows = np.flatnonzero(tag >= 0)
        factor = np.array([c.factor for c in self._conversions])[tag[rows]]
        offset = np.array([c.offset for c in self._conversions])[tag[rows]]
        values[rows, tag[rows]] = numbers[rows] * factor + offset
        if layout.quality is not None:
            quality[rows, tag[rows]] = _quality(piece.columns[layout.quality])[rows]
        return values, quality

    def _numbers(self, piece: Piece, name: str, rejects: Rejects, change: Conversion) -> FloatArray:
        array = piece.columns[name]
        numbers, alien = to_numbers(array, decimal_comma=self._source.decimal_comma)
        for row in alien.tolist():
            rejects.add(int(piece.numbers[row]), "text instead of a number", str(array[row].as_py()), name)
        return numbers if change.changes_nothing else numbers * change.factor + change.offset

    def _refuse(self, piece: Piece, problems: Mapping[int, str], rejects: Rejects) -> None:
        texts = joined([piece.columns[name] for name in self._mapping.time.columns])
        for row, reason in sorted(problems.items()):
            rejects.add(int(piece.numbers[row]), reason, texts[row].as_py() or "")


def check_mapping(source: SourceFile, mapping: ImportMapping, asset_class: AssetClass) -> None:
    """Check that a mapping fits a file and a class.

    Raises
    ------
    TableError
        If the file lacks a column, or the class a tag; and for units that do not fit.
    """
    wanted = [*mapping.time.columns, *(c.quality for c in mapping.columns.values() if c.quality)]
    wanted += [mapping.asset_column] if mapping.asset_column else []
    if mapping.long is None:
        wanted += list(mapping.columns)
    else:
        wanted += [c for c in (mapping.long.tag, mapping.long.value, mapping.long.quality) if c]
    missing = sorted({name for name in wanted if name not in source.names})
    if missing:
        raise TableError(
            f"{source.path}: no column {', '.join(map(repr, missing))}; the file has {', '.join(source.names)}"
        )
    tags = {tag.name: tag.unit for tag in asset_class.tags}
    for name, column in mapping.columns.items():
        if column.tag not in tags:
            raise TableError(f"column {name!r}: {asset_class.name} has no tag {column.tag!r}; it has {', '.join(tags)}")
        if column.unit is not None:
            try:
                conversion(column.unit, tags[column.tag])
            except ValueError as exc:
                raise TableError(f"column {name!r}: {exc}") from exc


def _quality(array: ArrowArray) -> NDArray[np.uint8]:
    """Read qualities, in words or as OPC DA numbers: 0 good, 1 uncertain, 2 bad."""
    coded = pc.fill_null(array.cast(pa.string()), "").dictionary_encode()
    table = np.array([_quality_of(word) for word in coded.dictionary.to_pylist()], dtype=np.uint8)
    return np.asarray(table[coded.indices.to_numpy(zero_copy_only=False)])


def _quality_of(word: str) -> int:
    text = word.strip().lower()
    if text.isdigit():
        level = int(text)
        return 0 if level >= _DA_GOOD else UNCERTAIN if level >= _DA_UNCERTAIN else _BAD
    if text in _GOOD_WORDS:
        return 0
    return UNCERTAIN if text in _UNCERTAIN_WORDS else _BAD


def unmapped(mapping: ImportMapping, source: SourceFile, tags: Sequence[str]) -> tuple[str, ...]:
    """Return the columns, or tags of a long file, that the mapping leaves out."""
    used = {*mapping.columns, *(c.quality for c in mapping.columns.values() if c.quality)}
    used |= {*mapping.time.columns, mapping.asset_column or ""}
    return tuple(name for name in (source.names if mapping.long is None else tags) if name not in used)
