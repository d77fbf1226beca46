"""Stand-ins for what the API works with: fast, in memory, with switches for everything that can fail."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.disk import DiskSpace
from forewarn.adapters.forecasting.statsmodels_methods import StatsmodelsForecaster
from forewarn.adapters.frames.codec import encode_frame
from forewarn.adapters.frames.rows import FrameRows
from forewarn.adapters.live.state import LiveState
from forewarn.contracts.alarms import Alarm, Alert, Priority
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import Contract
from forewarn.contracts.frames import FrameKind, JudgementSummary, frame_columns
from forewarn.contracts.health import AssetHealth, HealthCategory, ModelArtefact
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.domain.frames.frame import NUMPY_DTYPES, Frame, Strings
from forewarn.domain.guard.batch import GuardSettings
from forewarn.ports.delivery import BrokerSilent, DeliveryOverloaded, Message, Undelivered
from forewarn.ports.history import (
    MAX_ROWS,
    AlarmEntry,
    BadQuery,
    Card,
    Cards,
    History,
    HistoryQuery,
    HistoryUnavailable,
    Interval,
    Latest,
    Page,
    Part,
    Refusal,
    RemovedAsset,
    RollUp,
    Series,
)
from forewarn.ports.progress import Progress
from forewarn.usecases.backend import Backend
from forewarn.usecases.workers import Workers, worker_thread

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
CATALOGUE = load_catalogue()
PUMP_CLASS = CATALOGUE["centrifugal_pump"]
PUMP = Asset(asset_id="P-101", asset_class="centrifugal_pump", name="Feed pump", path=("works", "hall-1"))
OTHER_PUMP = Asset(asset_id="P-102", asset_class="centrifugal_pump", name="Spare pump")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class StillClock:
    """A clock that moves only when told to."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()


@dataclass
class FakeRegistry:
    assets: dict[str, Asset] = field(default_factory=lambda: {a.asset_id: a for a in (PUMP, OTHER_PUMP)})
    reason: str | None = None

    def get(self, asset_id: str) -> Asset | None:
        return self.assets.get(asset_id)

    def all(self) -> Mapping[str, Asset]:
        return self.assets

    def count(self) -> int:
        return len(self.assets)

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:  # it changes before it answers
        return lambda: None

    def problem(self) -> str | None:
        return self.reason


@dataclass
class FakeDelivery:
    """Remembers what was sent; ``failing`` are positions that fail, ``away`` fails everything."""

    registry: FakeRegistry
    sent: list[Message] = field(default_factory=list)
    events: list[tuple[TopicName, str, Contract]] = field(default_factory=list)
    retracted: list[tuple[TopicName, str]] = field(default_factory=list)
    failing: frozenset[int] = frozenset()
    away: bool = False
    overloaded: bool = False

    async def send(self, messages: Sequence[Message]) -> tuple[Undelivered, ...]:
        if self.overloaded:
            raise DeliveryOverloaded("50000 messages wait for the broker")
        failed = [i for i in range(len(messages)) if self.away or i in self.failing]
        self.sent += [message for i, message in enumerate(messages) if i not in failed]
        return tuple(Undelivered(index=i, reason="Local: Message timed out") for i in failed)

    async def broadcast(self, message: Message) -> tuple[Undelivered, ...]:
        if self.away:
            raise BrokerSilent("Local: Broker transport failure")
        return await self.send([message] * 12)

    async def publish(
        self, topic: TopicName, key: str, event: Contract, *, event_id: str, at: datetime
    ) -> Undelivered | None:
        if self.away:
            return Undelivered(index=0, reason="Local: Message timed out")
        self.events.append((topic, key, event))
        if isinstance(event, Asset):
            self.registry.assets[event.asset_id] = event
        return None

    async def publish_all(
        self, topic: TopicName, events: Sequence[tuple[str, Contract, str]], *, at: datetime
    ) -> tuple[Undelivered, ...]:
        fates = [await self.publish(topic, key, event, event_id=event_id, at=at) for key, event, event_id in events]
        return tuple(Undelivered(index=i, reason=fate.reason) for i, fate in enumerate(fates) if fate is not None)

    async def retract(self, topic: TopicName, key: str, *, headers: Mapping[str, str]) -> Undelivered | None:
        if self.away:
            return Undelivered(index=0, reason="Local: Message timed out")
        self.retracted.append((topic, key))
        self.registry.assets.pop(key, None)
        return None

    async def ping(self) -> None:
        if self.away:
            raise BrokerSilent("Local: Broker transport failure")


@dataclass
class FakeHistory:
    """Holds a little of everything; ``away`` answers nothing."""

    away: bool = False
    crash: bool = False
    newest: tuple[Latest, ...] = ()
    health_events: tuple[AssetHealth, ...] = ()
    alarm_entries: tuple[AlarmEntry, ...] = ()
    transitions: tuple[Alert, ...] = ()
    refused: tuple[RejectedReading, ...] = ()
    removed: tuple[RemovedAsset, ...] = ()
    model_cards: tuple[ModelArtefact, ...] = ()
    stretches: dict[str, History] = field(default_factory=dict)
    queries: list[HistoryQuery] = field(default_factory=list)

    def _answer(self) -> None:
        if self.crash:
            raise RuntimeError("postgresql://forewarn:hunter2@db/forewarn exploded")
        if self.away:
            raise HistoryUnavailable("connection to db:5432 refused")

    async def ping(self) -> None:
        self._answer()

    async def asset_ids(self, *, after: str | None = None, limit: int = MAX_ROWS) -> tuple[str, ...]:
        self._answer()
        known = {item.asset_id for item in (*self.newest, *self.health_events)}
        return tuple(sorted(name for name in known if after is None or name > after))[:limit]

    async def latest(self, asset_ids: Sequence[str]) -> tuple[Latest, ...]:
        self._answer()
        return tuple(item for item in self.newest if item.asset_id in asset_ids)

    async def history(self, query: HistoryQuery) -> History | None:
        self._answer()
        self.queries.append(query)
        unknown = set(query.columns) - set(PUMP_CLASS.column_names)
        if unknown:
            raise BadQuery(f"centrifugal_pump has no column {', '.join(sorted(unknown))}")
        return self.stretches.get(query.asset_id)

    async def removed_assets(self, *, after: str, limit: int) -> tuple[RemovedAsset, ...]:
        self._answer()
        return tuple(item for item in self.removed if item.asset.asset_id > after)[:limit]

    async def removed_asset(self, asset_id: str) -> RemovedAsset | None:
        self._answer()
        return next((item for item in self.removed if item.asset.asset_id == asset_id), None)

    async def latest_health(self, asset_ids: Sequence[str]) -> tuple[AssetHealth, ...]:
        self._answer()
        return tuple(item for item in self.health_events[-1:] if item.asset_id in asset_ids)

    async def health(self, asset_id: str, interval: Interval) -> tuple[AssetHealth, ...]:
        self._answer()
        return tuple(
            item
            for item in self.health_events
            if item.asset_id == asset_id and interval.start <= item.ts < interval.end
        )

    async def alarms(
        self,
        *,
        open_alarms: bool | None = None,
        asset_id: str | None = None,
        priorities: Collection[Priority] | None = None,
        page: Page | None = None,
    ) -> Part[AlarmEntry]:
        self._answer()
        page = page or Page()
        chosen = [
            entry
            for entry in self.alarm_entries
            if (open_alarms is None or (entry.closed_at is None) == open_alarms)
            and (priorities is None or entry.alarm.priority in priorities)
            and (page.before is None or (entry.changed_at, entry.alarm.occurrence_id) < (page.before, page.before_id))
        ]
        chosen.sort(key=lambda entry: (entry.changed_at, entry.alarm.occurrence_id), reverse=True)
        kept = tuple(chosen[: page.limit])
        full = len(kept) == page.limit
        return Part(kept, (kept[-1].changed_at, kept[-1].alarm.occurrence_id) if full else None)

    async def alarm(self, alarm_id: str) -> AlarmEntry | None:
        self._answer()
        return next((entry for entry in self.alarm_entries if entry.alarm.alarm_id == alarm_id), None)

    async def alarm_events(
        self, *, asset_id: str | None = None, alarm_id: str | None = None, page: Page | None = None
    ) -> tuple[Alert, ...]:
        self._answer()
        return tuple(alert for alert in self.transitions if alarm_id is None or alert.alarm.alarm_id == alarm_id)

    async def rejected(
        self, *, asset_id: str | None = None, reason: str | None = None, page: Page | None = None
    ) -> Part[Refusal]:
        self._answer()
        return Part(tuple(in_short(item) for item in self.refused if reason is None or item.reason == reason))

    async def rejected_one(self, rejected_id: str) -> RejectedReading | None:
        self._answer()
        found = self._refused_one(rejected_id)
        return None if found is None else found.model_copy(update={"original": b""})

    async def original(self, rejected_id: str) -> AsyncIterator[bytes]:
        self._answer()
        found = self._refused_one(rejected_id)
        assert found is not None
        for start in range(0, len(found.original), 3):
            yield found.original[start : start + 3]

    def _refused_one(self, rejected_id: str) -> RejectedReading | None:
        return next((item for item in self.refused if item.rejected_id == rejected_id), None)

    async def models(self, asset_id: str | None = None, *, after: Card | None = None) -> Cards:
        self._answer()
        return Cards(self.model_cards)

    async def model(self, asset_id: str, kind: str, version: int) -> ModelArtefact | None:
        self._answer()
        wanted = (asset_id, kind, version)
        return next((c for c in self.model_cards if (c.asset_id, c.kind, c.version) == wanted), None)


@dataclass
class FakePlatform:
    """All stand-ins of one API, and the backend made of them."""

    clock: StillClock = field(default_factory=StillClock)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    history: FakeHistory = field(default_factory=FakeHistory)
    live_problem: str | None = None
    progress: Progress | None = None
    max_assets: int = 50_000
    free_gb: float = 100.0

    def __post_init__(self) -> None:
        self.disk = DiskSpace(path=Path("/data"), reserve_gb=1.0, free_bytes=lambda _: int(self.free_gb * 1e9))
        self.live = LiveState(lambda: self.live_problem)
        self.delivery = FakeDelivery(self.registry)
        self._ids = 0
        self.backend = Backend(
            catalogue=CATALOGUE,
            registry=self.registry,
            live=self.live,
            history=self.history,
            delivery=self.delivery,
            forecaster=StatsmodelsForecaster(),
            guard=GuardSettings(),
            progress=self,
            clock=self.clock,
            new_id=self._new_id,
            workers=Workers(worker_thread),
            max_assets=self.max_assets,
            disk=self.disk,
        )

    def latest(self) -> Progress | None:
        return self.progress

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def frame(
    kind: FrameKind, assets: Sequence[str], ts: datetime, *, asset_class: AssetClass = PUMP_CLASS, **columns: object
) -> Frame:
    """A frame with one row an asset; columns are zero unless given (a value for all rows, or one each)."""
    rows = len(assets)
    arrays, strings = {}, {}
    for column in frame_columns(kind, asset_class):
        given = columns.get(column.name)
        values = given if isinstance(given, list) else [given] * rows
        if column.name == "asset_id":
            strings[column.name] = Strings.of(list(assets))
        elif column.dtype == "string":
            strings[column.name] = Strings.of(values)
        else:
            default = microseconds(ts) if column.dtype == "timestamp_us" else 0
            plain = [default if value is None else value for value in values]
            arrays[column.name] = np.array(plain, dtype=NUMPY_DTYPES[column.dtype])
    return Frame(kind=kind, asset_class=asset_class, arrays=arrays, strings=strings)


def valid_rows(assets: Sequence[str], ts: datetime, **columns: object) -> FrameRows:
    return FrameRows.read(encode_frame(frame(FrameKind.VALID, assets, ts, **columns)), CATALOGUE, FrameKind.VALID)


def judged_rows(assets: Sequence[str], ts: datetime, **columns: object) -> FrameRows:
    return FrameRows.read(encode_frame(frame(FrameKind.ANOMALY, assets, ts, **columns)), CATALOGUE, FrameKind.ANOMALY)


def alarm(asset_id: str = "P-101", rule: str = "vibration_high", **changes: object) -> Alarm:
    values = {
        "alarm_id": f"{asset_id}/{rule}",
        "occurrence_id": "o-1",
        "asset_id": asset_id,
        "rule": rule,
        "source": "threshold",
        "priority": Priority.MEDIUM,
        "active": True,
        "acknowledged": False,
        "raised_at": NOW,
        "last_active_at": NOW,
        "value": 5.1,
        "limit": 4.5,
        "unit": "mm/s",
        "message": "Vibration high",
        "action": "Reduce load",
    }
    return Alarm.model_validate({**values, **changes})


def health(asset_id: str = "P-101", ts: datetime = NOW, score: float = 88.0) -> AssetHealth:
    return AssetHealth(
        asset_id=asset_id,
        asset_class="centrifugal_pump",
        ts=ts,
        health=score,
        category=HealthCategory.GOOD,
        trend="stable",
        trend_per_day=-0.1,
        metrics=(),
        anomaly_score=12.0,
        anomaly_flag=False,
        deviation=8.0,
    )


def model_card(asset_id: str = "P-101", version: int = 1) -> ModelArtefact:
    return ModelArtefact(
        asset_id=asset_id,
        kind="twin",
        version=version,
        method="ridge",
        trained_from=NOW - timedelta(hours=1),
        trained_to=NOW,
        rows=300,
        r2={"power_kw": 0.98},
    )


def rejected(rejected_id: str = "readings.raw/3/17", **changes: object) -> RejectedReading:
    values = {
        "rejected_id": rejected_id,
        "topic": "readings.raw",
        "partition": 3,
        "offset": 17,
        "reason": RejectionReason.NOT_FINITE,
        "explanation": "metrics.flow_m3_h is not a finite number",
        "recommendation": "Leave the tag out",
        "asset_id": "P-101",
        "rejected_at": NOW,
        "key": b"P-101",
        "original": b'{"asset_id":"P-101"}',
    }
    return RejectedReading.model_validate({**values, **changes})


def in_short(item: RejectedReading) -> Refusal:
    """What lists show of a refused message."""
    shown = {"rejected_id", "topic", "reason", "rule", "explanation", "recommendation", "asset_id", "rejected_at"}
    return Refusal(**item.model_dump(include=shown), size_bytes=len(item.original), beginning=item.original[:2_048])


def stretch(asset_id: str = "P-101", values: Sequence[float | None] = (1.5, None, -3.0)) -> History:
    size = len(values)
    return History(
        asset_id=asset_id,
        asset_class="centrifugal_pump",
        roll_up=RollUp.RAW,
        ts=tuple(NOW + timedelta(seconds=i) for i in range(size)),
        count=(1,) * size,
        series=(
            Series(
                column="flow_m3_h",
                unit="m3/h",
                values=tuple(values),
                expected=(1.0,) * size,
                quality=(0,) * size,
            ),
        ),
        score=(None,) * size,
        deviation=(3.5,) * size,
        flag=(False,) * size,
        next_start=None,
    )


def latest(asset_id: str = "P-101", ts: datetime = NOW) -> Latest:
    return Latest(
        asset_id=asset_id,
        asset_class="centrifugal_pump",
        ts=ts,
        received_at=ts,
        values={"flow_m3_h": 77.0},
        quality={"flow_m3_h": 0},
        findings=None,
        judged_at=ts,
        expected={"power_kw": 20.0},
        residual={"power_kw": 0.5},
        judgement=JudgementSummary(
            deviation=4.0,
            phase="live",
            regime=0,
            model_version=2,
            score=9.0,
            p_value=0.4,
            flag=False,
            culprit=None,
            hint="none",
        ),
    )
