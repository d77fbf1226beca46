"""The wide tables of an asset class: which columns they have and how frames map to them.

``readings_<class>`` holds what was measured, ``results_<class>`` what twin and anomaly stage made of it;
both have one row per (asset, instant). Two conventions keep rows small, which is what writing costs:

* an asset is its number in table ``asset``;
* a quality is NULL where the code is good, otherwise the 32 bits of the OPC UA status code as a signed
  ``integer``. The views ``<table>_v`` show asset ids and the unsigned codes.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import Column, FrameKind, frame_columns, quality_column

PgType = Literal["timestamptz", "bigint", "double precision", "integer", "real", "smallint", "boolean", "text"]
#: When a value is stored as NULL.
NullRule = Literal["never", "not_finite", "missing", "good"]

#: Widest first: fixed-width columns in this order need no padding between them.
_STORAGE_ORDER: Final[tuple[PgType, ...]] = (
    "timestamptz", "bigint", "double precision", "integer", "real", "smallint", "boolean", "text",
)  # fmt: skip
_PG_TYPES: Final[dict[str, tuple[PgType, NullRule]]] = {
    "timestamp_us": ("timestamptz", "never"),
    "int64": ("bigint", "missing"),
    "float64": ("double precision", "not_finite"),
    "float32": ("real", "not_finite"),
    "uint32": ("integer", "never"),
    "uint8": ("smallint", "never"),
    "bool": ("boolean", "never"),
    "string": ("text", "missing"),
}
ASSET_KEY: Final = "asset_key"
TIME: Final = "ts"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredColumn:
    """One column of a wide table; ``frame_column`` is where its values come from."""

    name: str
    frame_column: str
    pg_type: PgType
    null: NullRule
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WideTable:
    """One wide table: fed by frames of ``kind`` of ``asset_class``, columns in storage order."""

    name: str
    kind: FrameKind
    asset_class: str
    columns: tuple[StoredColumn, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in storage order, which is also the order of a COPY."""
        return tuple(column.name for column in self.columns)


def readings_table(asset_class: str) -> str:
    """Return the table with the readings of a class."""
    return f"readings_{asset_class}"


def results_table(asset_class: str) -> str:
    """Return the table with expected values and scores of a class."""
    return f"results_{asset_class}"


@lru_cache(maxsize=512)
def wide_table(kind: FrameKind, asset_class: AssetClass) -> WideTable:
    """Return the table for frames of this kind and class.

    Raises
    ------
    ValueError
        For twin frames: the anomaly frames repeat their columns.
    """
    if kind is FrameKind.TWIN:
        raise ValueError("twin frames are not stored: anomaly frames carry their columns")
    columns = frame_columns(kind, asset_class)
    if kind is FrameKind.VALID:
        name = readings_table(asset_class.name)
    else:
        name = results_table(asset_class.name)
        measured = {c.name for c in frame_columns(FrameKind.VALID, asset_class)} - {"asset_id", TIME}
        columns = tuple(c for c in columns if c.name not in measured)
    qualities = {quality_column(tag) for tag in asset_class.tag_names}
    stored = [_stored(column, is_quality=column.name in qualities) for column in columns]
    stored.sort(key=lambda c: _STORAGE_ORDER.index(c.pg_type))
    return WideTable(name=name, kind=kind, asset_class=asset_class.name, columns=tuple(stored))


def wide_tables(asset_class: AssetClass) -> tuple[WideTable, WideTable]:
    """Return both tables of a class."""
    return wide_table(FrameKind.VALID, asset_class), wide_table(FrameKind.ANOMALY, asset_class)


def _stored(column: Column, *, is_quality: bool) -> StoredColumn:
    if column.name == "asset_id":
        return StoredColumn(
            name=ASSET_KEY, frame_column="asset_id", pg_type="integer", null="never", comment="Key of table asset."
        )
    pg_type, null = _PG_TYPES[column.dtype]
    comment = f"{column.description} [{column.unit}]" if column.unit else column.description
    if is_quality:
        null, comment = "good", "OPC UA status code as signed bits; NULL = good."
    return StoredColumn(name=column.name, frame_column=column.name, pg_type=pg_type, null=null, comment=comment)
