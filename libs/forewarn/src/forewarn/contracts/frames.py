"""The columns of frames: the one description from which codec, tables, roll-ups, API models and docs are derived.

A frame is a columnar batch of readings of one asset class, sent as an Arrow IPC stream. Each stage appends its
columns to those of the stage before.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from forewarn.contracts.base import NotNegative, Probability, Score
from forewarn.contracts.quality import StatusCode

if TYPE_CHECKING:
    from forewarn.contracts.asset_class import AssetClass  # whose names must not be those of columns here

DType = Literal["string", "timestamp_us", "float64", "float32", "int64", "uint32", "uint8", "bool"]


class FrameKind(StrEnum):
    """Stage of the pipeline that wrote a frame."""

    VALID = "valid"
    TWIN = "twin"
    ANOMALY = "anomaly"


#: Version of the column rules below; a reader refuses a frame of another major version.
FRAME_VERSION: Final = 1


#: Stands for an unknown number.
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
    """Values of the column ``hint``: machine or sensor?"""

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


@dataclass(frozen=True, slots=True)
class _Stored:
    """How a field of a judgement becomes a column; ``words`` are the words of its codes."""

    dtype: DType
    unit: str = ""
    words: tuple[str, ...] = ()


def _word_of(words: tuple[str, ...]) -> BeforeValidator:
    return BeforeValidator(lambda value: value if isinstance(value, str) else dict(enumerate(words)).get(value, value))


def _within(largest: float) -> BeforeValidator:
    """Clip to 0 and the largest value: a 32-bit sum can be a hair outside."""
    return BeforeValidator(lambda value: min(max(value, 0.0), largest) if isinstance(value, float) else value)


PhaseName = Literal["baseline", "live"]
HintName = Literal["none", "asset_fault", "sensor_fault"]
_PHASES: Final[tuple[str, ...]] = get_args(PhaseName)
_HINTS: Final[tuple[str, ...]] = get_args(HintName)


class TwinSummary(BaseModel):
    """The twin's summary of a reading: each field is a column of frames and tables and part of answers.

    A field added later has the default None: it is unknown in older data.
    """

    model_config = ConfigDict(frozen=True)

    deviation: Annotated[Score | None, _within(100.0), _Stored("float32", "%")] = Field(
        description="Distance from normal behaviour, 0–100."
    )
    phase: Annotated[PhaseName, _word_of(_PHASES), _Stored("uint8", words=_PHASES)] = Field(
        description="Does the reading belong to the learning period, or did it come later?"
    )
    regime: Annotated[int, _Stored("uint8")] = Field(
        description="0 usual operating regime, 1 outside of what was learned, 2 not running, 3 not judged, "
        "4 to 6 further regimes that were learned."
    )
    model_version: Annotated[int, _Stored("uint32")] = Field(description="Version of the asset's twin.")
    operating_distance: Annotated[NotNegative | None, _Stored("float32")] = Field(
        default=None,
        description="Distance of the operating point from the middle of the learned range: 1 is its edge, "
        "beyond 1.25 the twin extrapolates.",
    )


class JudgementSummary(TwinSummary):
    """Summary of a reading by twin and anomaly stage."""

    score: Annotated[Score | None, _within(100.0), _Stored("float32", "%")] = Field(
        description="Anomaly score 0–100, causal."
    )
    p_value: Annotated[Probability | None, _within(1.0), _Stored("float32")] = Field(
        description="Share of held-out healthy scores at least as high."
    )
    flag: Annotated[bool, _Stored("bool")] = Field(description="Persistent anomaly.")
    culprit: Annotated[str | None, _Stored("string")] = Field(
        description="Tag that contributes most; null when not flagged."
    )
    hint: Annotated[HintName, _word_of(_HINTS), _Stored("uint8", words=_HINTS)] = Field(
        description="Is it the machine or the sensor?"
    )


class JudgementOverTime(BaseModel):
    """Judgements in a history: fields of ``JudgementSummary``, None where a reading was not judged."""

    score: tuple[float | None, ...] = Field(description="Anomaly score; the highest of the bucket.")
    deviation: tuple[float | None, ...] = Field(description="Distance from normal; the highest of the bucket.")
    flag: tuple[bool | None, ...] = Field(description="Persistent anomaly; whether any of the bucket was.")


def _summary_columns(summary: type[TwinSummary]) -> tuple[Column, ...]:
    columns = []
    for name, field in summary.model_fields.items():
        (stored,) = (item for item in field.metadata if isinstance(item, _Stored))
        codes = ", ".join(f"{code} {word}" for code, word in enumerate(stored.words))
        columns.append(
            Column(
                name=name,
                dtype=stored.dtype,
                unit=stored.unit,
                description=f"{field.description} {codes}." if codes else field.description or "",
                absent=None if field.is_required() else UNKNOWN,
                largest=len(stored.words) - 1 if stored.words else None,
            )
        )
    return tuple(columns)


#: Columns of the judgement summary: the twin's, and all.
TWIN_COLUMNS: Final = _summary_columns(TwinSummary)
JUDGEMENT: Final = _summary_columns(JudgementSummary)
#: Columns that frames of every class have.
FIXED_COLUMNS: Final = (*IDENTITY, FINDINGS, *JUDGEMENT)


def quality_column(tag: str) -> str:
    """Return the column with a tag's OPC UA status code."""
    return f"quality_{tag}"


def expected_column(tag: str) -> str:
    """Return the column with the value the twin expects."""
    return f"expected_{tag}"


def residual_column(tag: str) -> str:
    """Return the column with measured minus expected in healthy standard deviations."""
    return f"residual_{tag}"


def contribution_column(tag: str) -> str:
    """Return the column with a tag's share of the anomaly score."""
    return f"contribution_{tag}"


#: Prefixes of columns that belong to a tag.
TAG_PREFIXES: Final = tuple(
    column("") for column in (quality_column, expected_column, residual_column, contribution_column)
)
_RESERVED: Final = frozenset({*(column.name for column in FIXED_COLUMNS), "source", "key"})


def is_reserved(name: str) -> bool:
    """Return whether a column name is reserved for the platform."""
    return name in _RESERVED or name.startswith(TAG_PREFIXES)


@lru_cache(maxsize=512)
def frame_columns(kind: FrameKind, asset_class: "AssetClass") -> tuple[Column, ...]:
    """Return all columns of a frame of this kind and class, in wire order."""
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
    twin = (*measured, *expected, *_per_response(asset_class, residual_column), *TWIN_COLUMNS)
    if kind is FrameKind.TWIN:
        return twin
    return (*twin, *_per_response(asset_class, contribution_column), *JUDGEMENT[len(TWIN_COLUMNS) :])


def _per_response(
    asset_class: "AssetClass", column: Callable[[str], str], units: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Column]:
    for name in asset_class.twin.responses:
        yield Column(name=column(name), dtype="float32", unit=units.get(name, ""), absent=UNKNOWN)
