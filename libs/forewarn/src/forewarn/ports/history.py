"""Queries of stored data: assets, readings, health, alarms, models."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from forewarn.contracts.alarms import Alarm, Alert, Priority
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import EARLIEST, LATEST
from forewarn.contracts.frames import JudgementOverTime, JudgementSummary
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.contracts.readings import RejectedReading, RejectionReason

T = TypeVar("T")

#: Most rows of an answer; a larger ``limit`` is refused.
MAX_ROWS = 10_000


class HistoryUnavailable(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The database is away or took too long; the query may be repeated."""


class BadQuery(ValueError):  # noqa: N818  # says what the question is
    """An invalid query: an unknown column, an empty range, too large a limit, a value no row can have."""


def _require_time(name: str, moment: datetime) -> None:
    if moment.tzinfo is None:
        raise BadQuery(f"{name} needs a time zone")
    if not EARLIEST <= moment < LATEST:
        raise BadQuery(f"{name} must lie in the years {EARLIEST.year} to {LATEST.year - 1}, not {moment.isoformat()}")


def _require_range(start: datetime, end: datetime) -> None:
    _require_time("start", start)
    _require_time("end", end)
    if end <= start:
        raise BadQuery(f"the range ends ({end.isoformat()}) before it starts ({start.isoformat()})")


class RollUp(StrEnum):
    """Width of the buckets of a history."""

    RAW = "raw"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """Newest reading of an asset and its newest judgement.

    Every value is in the unit of its column; None is unknown. ``quality`` holds OPC UA status codes. ``judged_at`` is
    the event time of the reading that ``expected`` to ``judgement`` belong to: None while the twin learns, older than
    ``ts`` until the newest reading is judged.
    """

    asset_id: str
    asset_class: str
    ts: datetime
    received_at: datetime
    values: Mapping[str, float | None]
    quality: Mapping[str, int]
    findings: str | None
    judged_at: datetime | None
    expected: Mapping[str, float | None]
    residual: Mapping[str, float | None]
    judgement: JudgementSummary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeregisteredAsset:
    """A deregistered asset, with its last registry entry."""

    asset: Asset
    removed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """A stretch of an asset's history, and its resolution.

    ``start`` is included, ``end`` is not. ``columns`` are tags or derived quantities, none for all. ``roll_up`` None
    uses the finest width with at most ``max_points`` points. Raw rows come in pages of ``max_points``; the next page
    starts at ``History.next_start``.
    """

    asset_id: str
    start: datetime
    end: datetime
    columns: tuple[str, ...] = ()
    roll_up: RollUp | None = None
    max_points: int = 2_000

    def __post_init__(self) -> None:
        _require_range(self.start, self.end)
        if not 1 <= self.max_points <= MAX_ROWS:
            raise BadQuery(f"max_points must be 1 to {MAX_ROWS}, not {self.max_points}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One column over time, beside ``History.ts``.

    Raw: ``values`` with ``quality`` (OPC UA status codes). Rolled up: ``values`` are means, with
    ``minimum``, ``maximum`` and ``pct_good`` (share of readings of good quality). ``quality`` and
    ``pct_good`` are empty for derived quantities, ``expected`` where the twin predicts nothing.
    """

    column: str
    unit: str
    values: tuple[float | None, ...]
    expected: tuple[float | None, ...] = ()
    quality: tuple[int, ...] = ()
    minimum: tuple[float | None, ...] = ()
    maximum: tuple[float | None, ...] = ()
    pct_good: tuple[float | None, ...] = ()


class History(JudgementOverTime):
    """An asset's readings and judgements, oldest first, all columns as long as ``ts``.

    ``ts`` is the time of a reading or the start of a bucket; ``count`` is the number of readings in it.
    ``model_version`` and ``regime`` belong to raw readings; they are empty when rolled up.
    """

    asset_id: str
    asset_class: str
    roll_up: RollUp
    ts: tuple[datetime, ...]
    count: tuple[int, ...]
    series: tuple[Series, ...]
    next_start: datetime | None
    model_version: tuple[int | None, ...] = ()
    regime: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEntry:
    """An occurrence of an alarm, open or closed; ``closed_at`` is None while it is open."""

    alarm: Alarm
    closed_at: datetime | None

    @property
    def changed_at(self) -> datetime:
        """Return when it was closed, or raised if open: lists are in this order."""
        return self.closed_at or self.alarm.raised_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """A refused message in short, with the size and the ``beginning`` of its bytes instead of all."""

    rejected_id: str
    topic: str
    reason: RejectionReason
    rule: str | None
    explanation: str
    recommendation: str
    asset_id: str | None
    rejected_at: datetime
    size_bytes: int
    beginning: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Position of a model in the list: by asset, kind and version, the newest version first."""

    asset_id: str
    kind: str
    version: int


@dataclass(frozen=True, slots=True)
class ListPart(Generic[T]):
    """Part of a list: a full page, or less where more would be too many bytes.

    ``last`` is the time and id after which the next part begins; None at the end.
    """

    items: tuple[T, ...] = ()
    last: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class Cards:
    """Model cards without the models themselves, and the last one if more follow; else None."""

    items: tuple[ModelArtefact, ...] = ()
    last: Card | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of a list, newest first: those before ``(before, before_id)``, at most ``limit``."""

    limit: int = 100
    before: datetime | None = None
    before_id: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_ROWS:
            raise BadQuery(f"limit must be 1 to {MAX_ROWS}, not {self.limit}")
        if self.before is not None:
            _require_time("before", self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of time, ``end`` excluded."""

    start: datetime
    end: datetime
    limit: int = field(default=MAX_ROWS)

    def __post_init__(self) -> None:
        _require_range(self.start, self.end)
        if not 1 <= self.limit <= MAX_ROWS:
            raise BadQuery(f"limit must be 1 to {MAX_ROWS}, not {self.limit}")


class HistoryReader(Protocol):
    """Reads the database.

    Every method raises ``HistoryUnavailable`` while it is away, and ``BadQuery`` for an invalid query. No answer holds
    more than about ``MAX_ANSWER_BYTES``, whatever is stored; readings are limited by ``max_points`` and columns.
    """

    async def ping(self) -> None:
        """Check that the database answers."""
        ...

    async def asset_ids(self, *, after: str | None = None, limit: int = MAX_ROWS) -> tuple[str, ...]:
        """Return ids of assets that the database knows and that were not removed, in order, after ``after``."""
        ...

    async def latest(self, asset_ids: Sequence[str]) -> tuple[Latest, ...]:
        """Return the newest reading of these assets; assets without readings are left out."""
        ...

    async def history(self, query: HistoryQuery) -> History | None:
        """Return a stretch of an asset's history; None for an asset without class, ``BadQuery`` for unknown columns."""
        ...

    async def removed_assets(self, *, after: str, limit: int) -> tuple[DeregisteredAsset, ...]:
        """Return removed assets with stored history, by id, after ``after``."""
        ...

    async def removed_asset(self, asset_id: str) -> DeregisteredAsset | None:
        """Return a removed asset with stored history."""
        ...

    async def latest_health(self, asset_ids: Sequence[str]) -> tuple[AssetHealth, ...]:
        """Return the newest health of these assets; assets without are left out."""
        ...

    async def health(self, asset_id: str, interval: Interval) -> tuple[AssetHealth, ...]:
        """Return health over time, oldest first; thinned evenly to ``interval.limit`` rows and the answer's size."""
        ...

    async def alarms(
        self,
        *,
        open_alarms: bool | None = None,
        asset_id: str | None = None,
        priorities: Collection[Priority] | None = None,
        page: Page | None = None,
    ) -> ListPart[AlarmEntry]:
        """Return open alarms (True), closed occurrences (False) or both (None), newest first.

        Open ones are ordered by when they were raised, closed ones by when they were closed (``changed_at``). Keyset
        id: occurrence_id.
        """
        ...

    async def alarm(self, alarm_id: str) -> AlarmEntry | None:
        """Return an alarm's current state."""
        ...

    async def alarm_events(
        self, *, asset_id: str | None = None, alarm_id: str | None = None, page: Page | None = None
    ) -> tuple[Alert, ...]:
        """Return transitions, the last one to arrive first, whatever their times. Keyset id: alert_id."""
        ...

    async def rejected(
        self, *, asset_id: str | None = None, reason: str | None = None, page: Page | None = None
    ) -> ListPart[RefusedMessage]:
        """Return refused messages, newest first. Keyset id: rejected_id."""
        ...

    async def rejected_one(self, rejected_id: str) -> RejectedReading | None:
        """Return one refused message, without its original bytes."""
        ...

    def original(self, rejected_id: str) -> AsyncIterator[bytes]:
        """Yield the original bytes of a refused message in pieces; all lengths but the last divide by three.

        Raises HistoryUnavailable also if it is dropped meanwhile.
        """
        ...

    async def models(self, asset_id: str | None = None, *, after: Card | None = None) -> Cards:
        """Return model cards of an asset or of all, newest version first."""
        ...

    async def model(self, asset_id: str, kind: str, version: int) -> ModelArtefact | None:
        """Return one version of a model with its parameters."""
        ...
