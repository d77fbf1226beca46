"""What the dashboard asks of the API: a Protocol, the values it returns and the ways it fails."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.economics import EconomicReport
from forewarn.contracts.health import AssetHealth, Condition, HealthCategory, ModelArtefact
from forewarn_dashboard.twin_answers import FleetJudgement, Twin, WhatIf


class ApiError(Exception):
    """The API refused or failed; the text is fit to be shown."""


class ApiUnavailableError(ApiError):
    """The API cannot be reached or does not answer: trying again later helps."""


class NotFoundError(ApiError):
    """The API knows no such thing."""


class ConflictError(ApiError):
    """The world has moved on, for instance a newer occurrence of an alarm exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An asset's newest judged reading. A value that is bad or not known yet is None."""

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
    hint: int | None = None
    phase: int | None = None
    model_version: int | None = None
    findings: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """Which part of an asset's past."""

    start: datetime
    end: datetime
    columns: Sequence[str]
    max_points: int = 600
    resolution: Literal["auto", "raw", "1m"] = "auto"


def interval_columns(tag: str) -> tuple[str, str]:
    """Names of a history's columns with the ends of a tag's 90 % interval."""
    return f"low:{tag}", f"high:{tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Columns of equal length over rising times; ``resolution`` is raw, 1m, 1h or 1d."""

    times: tuple[datetime, ...]
    columns: Mapping[str, tuple[float | None, ...]]
    resolution: str

    def column(self, name: str) -> tuple[float | None, ...]:
        """A column; all unknown when the API did not send it."""
        return self.columns.get(name, (None,) * len(self.times))


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDetail:
    """What stands still about an asset: itself, its class, its newest twin model."""

    asset: Asset
    asset_class: AssetClass
    model: ModelArtefact | None = None
    learned: int | None = None  #: readings the twin can have learned from so far; None when not asked
    economics: EconomicReport | None = None  #: None when the API could not say
    fleet: FleetJudgement | None = None  #: while it has no model of its own, and others of its class have one


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A person has seen an occurrence of an alarm."""

    asset_id: str
    rule: str
    occurrence_id: str
    comment: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedQuery:
    """Which alarms that are over; empty texts do not choose. ``older_than`` is the cursor of an earlier answer."""

    asset_id: str = ""
    priority: str = ""
    older_than: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedAlarm:
    """An occurrence of an alarm that is over."""

    alarm: Alarm
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedAlarms:
    """A page of them, newest closed first.

    ``older`` is the cursor of the next page, empty on the last; ``problem`` says why they could not be read.
    """

    items: tuple[ClosedAlarm, ...] = ()
    older: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUpdate:
    """Part of the live feed. A snapshot of everything comes first with ``complete`` set: what it lacks is gone."""

    readings: tuple[Snapshot, ...] = ()
    health: tuple[AssetHealth, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    closed_alarms: tuple[str, ...] = ()
    removed_assets: tuple[str, ...] = ()
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetQuery:
    """Which assets of the plant, in which order, and which page of them; empty does not choose."""

    text: str = ""
    conditions: tuple[Condition, ...] = ()
    assets: tuple[str, ...] = ()
    sort: str = "area"
    offset: int = 0
    limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """One asset in short."""

    asset_id: str
    name: str
    asset_class: str
    path: tuple[str, ...]
    condition: Condition
    ts: datetime | None
    health: float | None
    category: HealthCategory | None
    trend: str
    priority: Priority | None
    alarm_text: str
    alarm_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPage:
    """A page of assets, how many the query found, and counts over the whole plant."""

    total: int
    found: int
    conditions: Mapping[Condition, int]
    priorities: Mapping[Priority, int]
    unacknowledged: int
    rows: tuple[FleetRow, ...] = ()


class PlantApi(Protocol):
    """Access to the plant through the API service. Every method may raise ``ApiError``."""

    async def assets(self) -> tuple[Asset, ...]:
        """All registered assets."""
        ...

    async def overview(self, query: FleetQuery) -> FleetPage:
        """A page of assets in short, and counts over all."""
        ...

    async def detail(self, asset_id: str) -> AssetDetail:
        """An asset with class and model; ``NotFoundError`` for an unknown one."""
        ...

    async def history(self, asset_id: str, query: HistoryQuery) -> History:
        """An asset's past in at most ``max_points`` rows; empty for one of which nothing is stored."""
        ...

    async def history_csv(self, asset_id: str, query: HistoryQuery) -> bytes:
        """The same as a CSV file."""
        ...

    async def economics(self, asset_id: str) -> EconomicReport:
        """What an asset's condition costs, and what was saved."""
        ...

    async def closed_alarms(self, query: ClosedQuery) -> ClosedAlarms:
        """Alarms that are over."""
        ...

    async def acknowledge(self, request: Acknowledgement) -> None:
        """Acknowledge an occurrence; ``ConflictError`` if a newer one exists."""
        ...

    async def twin(self, asset_id: str) -> Twin:
        """What the twin knows of an asset."""
        ...

    async def remove(self, asset_id: str, *, by: str, purge: bool) -> None:
        """Remove an asset, and with ``purge`` all that is stored of it; ``NotFoundError`` for an unknown one."""
        ...

    async def what_if(self, asset_id: str, changes: Mapping[str, float]) -> WhatIf:
        """What would happen if drivers had these values."""
        ...

    async def learn_anew(self, asset_id: str, *, by: str, reason: str) -> None:
        """Let the twin forget what is normal and learn it from the next readings."""
        ...

    def live(self, *, assets: Sequence[str] = (), only_alarms: bool = False) -> AsyncGenerator[LiveUpdate, None]:
        """The live feed of some or all assets until the connection breaks, then ``ApiUnavailableError``."""
        ...
