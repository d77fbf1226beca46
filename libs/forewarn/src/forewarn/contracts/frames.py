"""Which columns a frame has: one description from which codec, database and docs are made.

A frame is a columnar batch of readings of one asset class. It travels as an Arrow IPC stream and
only gains columns on its way: what the twin adds stands behind what the validator wrote.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.quality import StatusCode

DType = Literal["string", "timestamp_us", "float64", "float32", "int64", "uint32", "uint8", "bool"]


class FrameKind(StrEnum):
    """Stage of the pipeline that wrote a frame."""

    VALID = "valid"
    TWIN = "twin"
    ANOMALY = "anomaly"


#: Version of the column rules below; a reader refuses a frame of another major version.
FRAME_VERSION: Final = 1


#: Value of a number that is unknown.
UNKNOWN: Final = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a frame.

    Attributes
    ----------
    absent
        Its value in frames that were written before there was such a column; None: such a frame is refused.
    largest
        Largest value of a column whose values are codes.
    """

    name: str
    dtype: DType
    unit: str = ""
    description: str = ""
    absent: float | None = None
    largest: int | None = None

    @property
    def nullable(self) -> bool:
        """Whether a value may be unknown."""
        return self.dtype in ("int64", "float64", "float32") or (self.dtype == "string" and self.name != "asset_id")


class Verdict:
    """Values of the column ``verdict``; a rejected reading is not in any frame."""

    ACCEPTED: Final = 0
    WARNING: Final = 1


class Phase:
    """Values of the column ``phase``."""

    BASELINE: Final = 0  #: reading of the learning period, judged by a model that had not seen it
    LIVE: Final = 1


class Hint:
    """Values of the column ``hint``: is it the machine or the sensor?"""

    NONE: Final = 0
    ASSET_FAULT: Final = 1
    SENSOR_FAULT: Final = 2


IDENTITY: Final = (
    Column(name="asset_id", dtype="string", description="Asset."),
    Column(name="ts", dtype="timestamp_us", description="Event time, UTC."),
    Column(name="received_at", dtype="timestamp_us", description="When the broker took the raw message, UTC."),
    Column(name="seq", dtype="int64", description="The gateway's counter; null when it sent none."),
    Column(name="late", dtype="bool", description="History only: older than the asset's newest reading."),
    Column(name="verdict", dtype="uint8", description="0 accepted, 1 accepted with warnings.", largest=Verdict.WARNING),
    Column(name="historical", dtype="bool", description="Imported from a historian: never alarms.", absent=0.0),
)

FINDINGS: Final = Column(
    name="findings",
    dtype="string",
    description="What the guard noticed: rule:tag pairs joined by ';', null if nothing. "
    "estimated:COLUMN: the nameplate stands in for a tag the asset never sent; no reason for a warning.",
)

_TWIN_SUMMARY: Final = (
    Column(name="deviation", dtype="float32", unit="%", description="Distance from normal behaviour, 0–100."),
    Column(name="phase", dtype="uint8", description="0 baseline, 1 live.", largest=Phase.LIVE),
    Column(
        name="regime",
        dtype="uint8",
        description="0 usual operating regime, 1 outside of what was learned, 2 not running, 3 not judged, "
        "4 to 6 further regimes that were learned.",
    ),
    Column(name="model_version", dtype="uint32", description="Version of the asset's twin."),
)

_ANOMALY_SUMMARY: Final = (
    Column(name="score", dtype="float32", unit="%", description="Anomaly score 0–100, causal."),
    Column(name="p_value", dtype="float32", description="Share of held-out healthy scores at least as high."),
    Column(name="flag", dtype="bool", description="Persistent anomaly."),
    Column(name="culprit", dtype="string", description="Tag that contributes most; null when not flagged."),
    Column(name="hint", dtype="uint8", description="0 none, 1 asset fault, 2 sensor fault.", largest=Hint.SENSOR_FAULT),
)


def quality_column(tag: str) -> str:
    """Column with a tag's OPC UA status code."""
    return f"quality_{tag}"


def expected_column(tag: str) -> str:
    """Column with the value the twin expects."""
    return f"expected_{tag}"


def residual_column(tag: str) -> str:
    """Column with measured minus expected in healthy standard deviations."""
    return f"residual_{tag}"


def contribution_column(tag: str) -> str:
    """Column with a tag's share of the anomaly score."""
    return f"contribution_{tag}"


@lru_cache(maxsize=512)
def frame_columns(kind: FrameKind, asset_class: AssetClass) -> tuple[Column, ...]:
    """All columns of a frame of this kind and class, in wire order."""
    titles, units = asset_class.titles, asset_class.units
    values = (
        Column(name=name, dtype="float64", unit=units[name], description=titles[name], absent=UNKNOWN)
        for name in asset_class.column_names
    )
    measured = (*IDENTITY, *values)
    if kind is FrameKind.VALID:
        no_data = float(StatusCode.BAD_NO_DATA)
        quality = (Column(name=quality_column(tag), dtype="uint32", absent=no_data) for tag in asset_class.tag_names)
        return (*measured, *quality, FINDINGS)
    expected = _per_response(asset_class, expected_column, units)
    twin = (*measured, *expected, *_per_response(asset_class, residual_column), *_TWIN_SUMMARY)
    if kind is FrameKind.TWIN:
        return twin
    return (*twin, *_per_response(asset_class, contribution_column), *_ANOMALY_SUMMARY)


def _per_response(
    asset_class: AssetClass, column: Callable[[str], str], units: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Column]:
    for name in asset_class.twin.responses:
        yield Column(name=column(name), dtype="float32", unit=units.get(name, ""), absent=UNKNOWN)
