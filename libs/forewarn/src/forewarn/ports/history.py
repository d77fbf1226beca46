"""Questions about what was stored: assets, readings, health, alarms, models."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from forewarn.contracts.alarms import Alarm, Alert, Priority
from forewarn.contracts.base import EARLIEST, LATEST
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.contracts.readings import RejectedReading

#: Most rows any answer holds; a larger ``limit`` is refused.
MAX_ROWS = 10_000


class HistoryUnavailable(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The database is away or took too long; the question may be asked again."""


class BadQuery(ValueError):  # noqa: N818  # says what the question is
    """The question makes no sense: an unknown column, an empty range, too large a limit, a value no row can have."""


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
    """Newest reading of an asset beside the newest judgement of it.

    Every value is in the unit of its column; None is unknown. ``quality`` holds OPC UA status codes.
    ``judged_at`` is the event time of the reading that ``expected`` to ``hint`` belong to: None while the
    twin learns, a moment older than ``ts`` while a judgement is under way.
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
    deviation: float | None
    phase: int | None
    regime: int | None
    model_version: int | None
    score: float | None
    p_value: float | None
    flag: bool | None
    culprit: str | None
    hint: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """Which stretch of an asset's history, how coarse.

    ``start`` is included, ``end`` is not. ``columns`` are tags or derived quantities, none for all.
    ``roll_up`` None takes the finest width with at most ``max_points`` points. Raw rows come in pages of
    ``max_points``; the next page starts at ``History.next_start``.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """An asset's readings and judgements, oldest first, all columns as long as ``ts``.

    ``ts`` is the time of a reading or the start of a bucket; ``count`` is the number of readings in it.
    Rolled up, ``score`` and ``deviation`` are the highest of the bucket and ``flag`` says whether any was
    flagged. None: not judged. ``model_version`` and ``regime`` say which model judged a raw reading and how
    it saw it; they are empty when rolled up.
    """

    asset_id: str
    asset_class: str
    roll_up: RollUp
    ts: tuple[datetime, ...]
    count: tuple[int, ...]
    series: tuple[Series, ...]
    score: tuple[float | None, ...]
    deviation: tuple[float | None, ...]
    flag: tuple[bool | None, ...]
    next_start: datetime | None
    model_version: tuple[int | None, ...] = ()
    regime: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEntry:
    """An occurrence of an alarm as it stands, or as it was closed; ``closed_at`` is None while it is open."""

    alarm: Alarm
    closed_at: datetime | None

    @property
    def changed_at(self) -> datetime:
        """When it was closed, or raised while it is open: lists are in this order."""
        return self.closed_at or self.alarm.raised_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which rows of a list, newest first: those before ``(before, before_id)``, at most ``limit``."""

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
    """Answers from the database.

    Every method raises ``HistoryUnavailable`` while it is away, and ``BadQuery`` for what cannot be asked.
    """

    async def ping(self) -> None:
        """Ask the database for a sign of life."""
        ...

    async def latest(self, asset_ids: Sequence[str] | None = None) -> tuple[Latest, ...]:
        """Newest reading of these assets, of all for None; an asset without readings is left out."""
        ...

    async def history(self, query: HistoryQuery) -> History | None:
        """A stretch of an asset's history; None for an asset without class, ``BadQuery`` for unknown columns."""
        ...

    async def latest_health(self, asset_ids: Sequence[str] | None = None) -> tuple[AssetHealth, ...]:
        """Newest health of these assets, of all for None; an asset without is left out."""
        ...

    async def health(self, asset_id: str, interval: Interval) -> tuple[AssetHealth, ...]:
        """Health over time, oldest first; thinned out evenly to ``interval.limit`` rows."""
        ...

    async def alarms(
        self,
        *,
        open_alarms: bool | None = None,
        asset_id: str | None = None,
        priorities: Collection[Priority] | None = None,
        page: Page | None = None,
    ) -> tuple[AlarmEntry, ...]:
        """Alarms that are open (True), every occurrence that was closed (False) or both (None), newest first.

        What is open is as old as when it was raised, what was closed as when it was closed (``changed_at``).
        Keyset id: occurrence_id.
        """
        ...

    async def alarm(self, alarm_id: str) -> AlarmEntry | None:
        """One alarm as it stands."""
        ...

    async def alarm_events(
        self, *, asset_id: str | None = None, alarm_id: str | None = None, page: Page | None = None
    ) -> tuple[Alert, ...]:
        """Transitions, the last one to arrive first, whatever their times say. Keyset id: alert_id."""
        ...

    async def rejected(
        self, *, asset_id: str | None = None, reason: str | None = None, page: Page | None = None
    ) -> tuple[RejectedReading, ...]:
        """Refused messages, newest first, with their original bytes. Keyset id: rejected_id."""
        ...

    async def rejected_one(self, rejected_id: str) -> RejectedReading | None:
        """One refused message."""
        ...

    async def models(self, asset_id: str | None = None) -> tuple[ModelArtefact, ...]:
        """Model cards of an asset or of all, newest version first, without the models themselves."""
        ...

    async def model(self, asset_id: str, kind: str, version: int) -> ModelArtefact | None:
        """One version of a model with its parameters."""
        ...
