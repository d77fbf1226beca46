"""The dashboard's view of the API: a Protocol, its values and its errors."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, Self

from forewarn.contracts.alarms import Alarm
from forewarn.contracts.answers.alarms import AlarmList
from forewarn.contracts.answers.assets import AssetDetail, HistoryAnswer, Judgement, LiveReading
from forewarn.contracts.answers.live import LiveMessage
from forewarn.contracts.answers.overview import Overview
from forewarn.contracts.answers.twin import TwinAnswer
from forewarn.contracts.assets import Asset
from forewarn.contracts.economics import EconomicReport
from forewarn.contracts.frames import HintName, PhaseName, expected_column
from forewarn.contracts.health import AssetHealth, Condition
from forewarn.contracts.questions import WhatIfAnswer

#: A judgement older than this no longer describes the machine's current state.
JUDGEMENT_VALID_FOR: Final = timedelta(seconds=10)


class ApiError(Exception):
    """The API refused or failed; the text is for users."""


class ApiUnavailableError(ApiError):
    """The API cannot be reached or does not answer: try again later."""


class ApiNotFoundError(ApiError):
    """The API does not know the asset or alarm."""


class ApiConflictError(ApiError):
    """The request is outdated, for example because the alarm has occurred again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedReading:
    """An asset's newest judged reading. Bad and unknown values are None."""

    asset_id: str
    ts: datetime
    values: Mapping[str, float | None]
    expected: Mapping[str, float | None] = field(default_factory=dict)
    expected_low: Mapping[str, float] = field(default_factory=dict)  #: P5 of a healthy machine
    expected_high: Mapping[str, float] = field(default_factory=dict)  #: P95 of the same
    residual: Mapping[str, float | None] = field(default_factory=dict)
    contribution: Mapping[str, float | None] = field(default_factory=dict)
    quality: Mapping[str, int] = field(default_factory=dict)
    deviation: float | None = None
    score: float | None = None
    p_value: float | None = None
    flag: bool | None = None
    culprit: str | None = None
    hint: HintName | None = None
    phase: PhaseName | None = None
    model_version: int | None = None
    findings: str | None = None

    @classmethod
    def of(cls, reading: LiveReading) -> Self:
        """Combine a reading with its judgement, which arrives a moment later.

        While the judgement is fresh, the judged values are shown beside the expected ones; once it lags, only the
        reading is.
        """
        bare = cls(
            asset_id=reading.asset_id,
            ts=reading.ts,
            values=reading.values,
            quality=reading.quality,
            findings=reading.findings,
        )
        judged = reading.judgement
        if judged is None or reading.ts - judged.ts > JUDGEMENT_VALID_FOR:
            return bare
        known = {name: getattr(judged, name) for name in _JUDGED}
        return replace(bare, **known | {"values": judged.values or reading.values})


_JUDGED: Final = tuple(name for name in Judgement.model_fields if name in JudgedReading.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRequest:
    """Asset, range and columns of a history."""

    start: datetime
    end: datetime
    columns: Sequence[str]
    max_points: int = 600
    resolution: Literal["auto", "raw", "1m"] = "auto"


def interval_columns(tag: str) -> tuple[str, str]:
    """Return the names of a history's columns with the ends of a tag's 90 % interval."""
    return f"low:{tag}", f"high:{tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryColumns:
    """Columns of equal length over rising times; ``resolution`` is raw, 1m, 1h or 1d."""

    times: tuple[datetime, ...]
    columns: Mapping[str, tuple[float | None, ...]]
    resolution: str

    @classmethod
    def of(cls, answer: HistoryAnswer) -> Self:
        """Parse the API's answer; expected values and the ends of their intervals become columns."""
        flags = tuple(None if flag is None else float(flag) for flag in answer.flag)
        columns: dict[str, tuple[float | None, ...]] = {}
        for name, column in answer.columns.items():
            low, high = interval_columns(name)
            columns |= {name: column.values, expected_column(name): column.expected}
            columns |= {low: column.expected_low, high: column.expected_high}
        columns |= {"score": answer.score, "deviation": answer.deviation, "flag": flags}
        whole = {name: values for name, values in columns.items() if len(values) == len(answer.ts)}
        return cls(times=answer.ts, columns=whole, resolution=answer.resolution)

    def column(self, name: str) -> tuple[float | None, ...]:
        """Return a column; all unknown if the API did not send it."""
        return self.columns.get(name, (None,) * len(self.times))


NO_HISTORY: Final = HistoryColumns(times=(), columns={}, resolution="raw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Acknowledgement of an occurrence of an alarm, with who and why."""

    asset_id: str
    rule: str
    occurrence_id: str
    comment: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedQuery:
    """Filter of closed alarms; empty texts do not filter. ``older_than`` is the cursor of an earlier answer."""

    asset_id: str = ""
    priority: str = ""
    older_than: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUpdate:
    """Message of the live feed. The first one is ``complete``: what it lacks does not exist."""

    readings: tuple[JudgedReading, ...] = ()
    health: tuple[AssetHealth, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    closed_alarms: tuple[str, ...] = ()
    removed_assets: tuple[str, ...] = ()
    complete: bool = False

    @classmethod
    def of(cls, message: LiveMessage) -> Self:
        """Parse a message of the API."""
        return cls(
            readings=tuple(JudgedReading.of(reading) for reading in message.readings),
            health=message.health,
            alarms=message.alarms,
            closed_alarms=message.closed_alarms,
            removed_assets=message.removed_assets,
            complete=message.type == "snapshot",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetQuery:
    """Filter, sort order and page of assets; empty does not filter."""

    text: str = ""
    conditions: tuple[Condition, ...] = ()
    assets: tuple[str, ...] = ()
    sort: str = "area"
    offset: int = 0
    limit: int = 0


class PlantApi(Protocol):
    """Access to the plant through the API service. Every method may raise ``ApiError``."""

    async def assets(self) -> tuple[Asset, ...]:
        """Return all registered assets."""
        ...

    async def overview(self, query: FleetQuery) -> Overview:
        """Return a page of summaries of assets, and counts over all."""
        ...

    async def detail(self, asset_id: str) -> AssetDetail:
        """Return an asset with its class and the cards of its models; raise ``ApiNotFoundError`` for an unknown one."""
        ...

    async def history(self, asset_id: str, query: HistoryRequest) -> HistoryColumns:
        """Return an asset's history in at most ``max_points`` rows; empty if nothing is stored."""
        ...

    async def history_csv(self, asset_id: str, query: HistoryRequest) -> bytes:
        """Return a history as a CSV file."""
        ...

    async def economics(self, asset_id: str) -> EconomicReport:
        """Return costs of an asset's condition, and savings."""
        ...

    async def closed_alarms(self, query: ClosedQuery) -> AlarmList:
        """Return closed alarms, newest closed first."""
        ...

    async def acknowledge(self, request: Acknowledgement) -> None:
        """Acknowledge an occurrence; raise ``ApiConflictError`` if there is a newer one."""
        ...

    async def twin(self, asset_id: str) -> TwinAnswer:
        """Return what the twin knows of an asset."""
        ...

    async def remove(self, asset_id: str, *, by: str, purge: bool) -> None:
        """Remove an asset, with ``purge`` also its stored data; raise ``ApiNotFoundError`` for an unknown one."""
        ...

    async def what_if(self, asset_id: str, changes: Mapping[str, float]) -> WhatIfAnswer:
        """Return what the twin expects if drivers had these values."""
        ...

    async def retrain(self, asset_id: str, *, by: str, reason: str) -> None:
        """Retrain the twin on the next readings."""
        ...

    def live(self, *, assets: Sequence[str] = (), only_alarms: bool = False) -> AsyncGenerator[LiveUpdate, None]:
        """Iterate over the live feed of some or all assets; it ends with ``ApiUnavailableError``."""
        ...
