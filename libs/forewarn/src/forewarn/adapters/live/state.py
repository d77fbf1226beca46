"""The newest state of every asset in memory: written by the feed's threads, read by the API's event loop."""

import re
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final, Generic, Literal, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from forewarn.adapters.event_codec import decode_event, encode_event
from forewarn.adapters.frames.rows import FrameRows
from forewarn.adapters.live.stored import StoredState
from forewarn.contracts.alarms import Alarm
from forewarn.contracts.answers.assets import LiveJudgement
from forewarn.contracts.base import IDENTIFIER
from forewarn.contracts.health import AssetHealth, HealthCategory, ModelArtefact
from forewarn.contracts.limits import MAX_ALARMS_PER_ASSET, MAX_LIVE_ASSETS, MAX_TURN_BYTES
from forewarn.domain.time import to_datetime, to_microseconds
from forewarn.ports.codec import InvalidEvent, one_line
from forewarn.ports.history import Latest
from forewarn.ports.live import (
    HealthInShort,
    LiveAsset,
    LiveInShort,
    NewestReading,
    Stage,
)

T = TypeVar("T")
_log = structlog.get_logger(__name__)

_MODELS_PER_ASSET: Final = 4  # the twin makes one
#: Assets with alarms passed over in the search for one to forget.
_MAX_SEARCH: Final = 100

#: A judgement that lags its reading by more is stale.
_JUDGEMENT_KEEPS_US: Final = 10_000_000


def _nothing() -> None:
    """Stand in for a missing short form."""


class _HealthInShort(BaseModel):
    """The part of a health event that overviews show."""

    health: float | None
    category: HealthCategory | None
    trend: str


@dataclass(slots=True, eq=False)
class _Newest(Generic[T]):
    """Newest data of one kind of an asset, and how to read them: from ``frame`` until the row is copied."""

    ts_us: int
    asset_class: str
    read: Callable[[], T]
    in_short: Callable[[], Any] = _nothing  # JudgementInShort or HealthInShort
    frame: FrameRows | None = None
    partition: int | None = None  # of the topic; None for rows of the database


@dataclass(slots=True)
class _Slot:
    """The newest data of an asset, frequent ones undecoded."""

    version: int = 0
    reading: _Newest[NewestReading] | None = None
    judgement: _Newest[LiveJudgement] | None = None
    health: _Newest[AssetHealth] | None = None
    alarms: dict[str, Alarm] = field(default_factory=dict)
    decoded: LiveAsset | None = None
    decoded_from: tuple[object, object, object] = (None, None, None)


class LiveState:
    """Implements ``forewarn.ports.live.LiveView``.

    Memory is bounded by the number of assets, at most ``max_assets``, never by the rate or size of data: the newest
    frames are kept as they came, as their rows are soon replaced; rows of older frames that are still the newest are
    copied. Beyond the limit, assets without alarms that changed longest ago are forgotten.

    Each change gives the asset a new version, so that a reader finds what changed since it last looked: there are no
    queues, and a slow reader simply skips what it missed.
    """

    def __init__(
        self,
        problem: Callable[[], str | None] = lambda: None,
        *,
        max_assets: int = MAX_LIVE_ASSETS,
        max_frame_bytes: int = MAX_TURN_BYTES,
    ) -> None:
        self._max_assets = max_assets
        self._max_frame_bytes = max_frame_bytes
        self._frames: deque[tuple[weakref.ref[FrameRows], int]] = deque()
        self._frame_bytes = 0
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()  # in the order of their last change
        self._models: dict[str, ModelArtefact] = {}
        self._newest_us: dict[Stage, int] = {}
        self._version = 0
        self._alarm_version = 0
        self._listeners: list[Callable[[], None]] = []
        self._problem = problem

    @property
    def version(self) -> int:
        """Grows with each change of any asset."""
        return self._version

    @property
    def alarm_version(self) -> int:
        """Grows with each change of any alarm."""
        return self._alarm_version

    def take_readings(self, frame: FrameRows, partition: int | None = None) -> None:
        """Take in a frame of kind VALID from a partition."""
        name = frame.asset_class.name
        with self._lock:
            for asset_id, ts_us, row in frame.newest:
                read = partial(frame.reading, row)
                self._offer_reading(asset_id, _Newest(ts_us, name, read, frame=frame, partition=partition))
                self._saw("readings.valid", ts_us)
            self._hold(frame)

    def take_judgements(self, frame: FrameRows, partition: int | None = None) -> None:
        """Take in a frame of kind ANOMALY from a partition."""
        name = frame.asset_class.name
        with self._lock:
            for asset_id, ts_us, row in frame.newest:
                read, in_short = partial(frame.judgement, row), partial(frame.judgement_in_short, row)
                self._offer_judgement(asset_id, _Newest(ts_us, name, read, in_short, frame, partition))
                self._saw("anomaly.scores", ts_us)
            self._hold(frame)

    def take_health(self, asset_id: str, data: bytes, sent_us: int) -> None:
        """Take in an event of ``asset.health``; decoded on request."""
        with self._lock:
            self._offer_health(asset_id, _newest_health(data, sent_us))
            self._saw("asset.health", sent_us)

    def take_alarm(self, alarm_id: str, alarm: Alarm | None) -> None:
        """Take in an entry of ``alerts.active``; None closes the alarm.

        Raises
        ------
        InvalidEvent
            If there is no room for it: no asset has so many alarms.
        """
        asset_id = alarm_id.partition("/")[0]
        with self._lock:
            slot = self._slots.get(asset_id) if alarm is None else self._slot(asset_id)
            if slot is None:
                if alarm is None:
                    return
                raise InvalidEvent(f"no room for an alarm of the asset {asset_id[:128]!r}")
            if alarm is None:
                slot.alarms.pop(alarm_id, None)
            elif len(slot.alarms) >= MAX_ALARMS_PER_ASSET and alarm_id not in slot.alarms:
                raise InvalidEvent(f"{asset_id} has {len(slot.alarms)} open alarms already, more are not shown")
            else:
                slot.alarms[alarm_id] = alarm
            self._alarm_version += 1
            self._touch(asset_id, slot)

    def take_model(self, key: str, model: ModelArtefact | None) -> None:
        """Take in an entry of ``models``; None removes it.

        Raises
        ------
        InvalidEvent
            If there is no room for it.
        """
        with self._lock:
            if model is None:
                self._models.pop(key, None)
            elif len(self._models) >= _MODELS_PER_ASSET * self._max_assets and key not in self._models:
                raise InvalidEvent(f"there are {len(self._models)} models already, more are not shown")
            else:
                self._models[key] = model

    def end(self, asset_id: str, part: Literal["reading", "judgement", "health"], partition: int | None = None) -> None:
        """Drop data of a removed asset that precede its removal in this partition.

        Every partition carries the removal, and some lag: data from another one may be of a new registration.
        """
        with self._lock:
            slot = self._slots.get(asset_id)
            if slot is None:
                return
            newest: _Newest[Any] | None = getattr(slot, part)
            if newest is not None and None not in (newest.partition, partition) and newest.partition != partition:
                return
            setattr(slot, part, None)
            if slot.reading is None and slot.judgement is None and slot.health is None and not slot.alarms:
                del self._slots[asset_id]
            else:
                self._touch(asset_id, slot)

    def seed(self, readings: Sequence[Latest], health: Sequence[AssetHealth]) -> None:
        """Take in rows from the database, only where the topics brought nothing newer."""
        with self._lock:
            for latest in readings:
                stored = StoredState.of(latest)
                ts_us = to_microseconds(latest.ts)
                self._offer_reading(latest.asset_id, _Newest(ts_us, latest.asset_class, stored.reading))
                if latest.judged_at is not None:
                    judged_us = to_microseconds(latest.judged_at)
                    read, in_short = stored.judgement, stored.judgement_in_short
                    self._offer_judgement(latest.asset_id, _Newest(judged_us, latest.asset_class, read, in_short))
            for event in health:
                slot = self._slot(event.asset_id)
                if slot is not None and slot.health is None:
                    self._offer_health(event.asset_id, _newest_health(encode_event(event), to_microseconds(event.ts)))
        self.announce()

    def problem(self) -> str | None:
        """Return why the view is incomplete or stale; None when all is well."""
        return self._problem()

    def announce(self) -> None:
        """Call the listeners."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_change`` after changes, from the feed's threads; returns the function that unsubscribes it."""
        with self._lock:
            self._listeners.append(on_change)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(on_change)

        return stop

    def asset(self, asset_id: str) -> LiveAsset | None:
        """Return what is known of an asset; decoded once for each version."""
        with self._lock:
            slot = self._slots.get(asset_id)
            if slot is None:
                return None
            if slot.decoded is None or slot.decoded.version != slot.version:
                for newest in (slot.reading, slot.judgement):
                    if newest is not None and newest.frame is not None:
                        self._let_go(newest.frame)  # its other assets are usually requested next
                slot.decoded = _decode(asset_id, slot)
                slot.decoded_from = (slot.reading, slot.judgement, slot.health)
            return slot.decoded

    def in_short(self, asset_id: str) -> LiveInShort | None:
        """Return an asset as overviews show it: read in place, nothing is kept."""
        with self._lock:
            slot = self._slots.get(asset_id)
            if slot is None:
                return None
            reading, judgement, health = slot.reading, slot.judgement, slot.health
            alarms = tuple(slot.alarms.values())
        newest = reading or judgement
        if reading is not None and judgement is not None and reading.ts_us - judgement.ts_us > _JUDGEMENT_KEEPS_US:
            judgement = None
        return LiveInShort(
            ts_us=None if newest is None else newest.ts_us,
            judgement=None if judgement is None else judgement.in_short(),
            health=None if health is None else health.in_short(),
            alarms=alarms,
        )

    def changed_since(self, version: int) -> Sequence[str]:
        """Return the assets that changed after ``version``, oldest change first."""
        changed: list[str] = []
        with self._lock:
            for asset_id in reversed(self._slots):
                if self._slots[asset_id].version <= version:
                    break
                changed.append(asset_id)
        return changed[::-1]

    def alarms(self) -> Sequence[Alarm]:
        """Return every open alarm."""
        with self._lock:
            return [alarm for slot in self._slots.values() for alarm in slot.alarms.values()]

    def alarm(self, alarm_id: str) -> Alarm | None:
        """Return an open alarm."""
        with self._lock:
            slot = self._slots.get(alarm_id.partition("/")[0])
            return None if slot is None else slot.alarms.get(alarm_id)

    def model(self, asset_id: str, kind: str) -> ModelArtefact | None:
        """Return the card of an asset's newest model of a kind."""
        with self._lock:
            return self._models.get(f"{asset_id}/{kind}")

    def models(self) -> Sequence[ModelArtefact]:
        """Return the card of the newest model of every asset and kind."""
        with self._lock:
            return list(self._models.values())

    def newest(self) -> Mapping[Stage, datetime]:
        """Return the event time of the newest data of each stage."""
        with self._lock:
            return {stage: to_datetime(us) for stage, us in self._newest_us.items()}

    def _slot(self, asset_id: str) -> _Slot | None:
        """Return the slot of an asset; None if its name is invalid, or there is no room."""
        slot = self._slots.get(asset_id)
        if slot is None and _NAME.fullmatch(asset_id) and (len(self._slots) < self._max_assets or self._forget_one()):
            slot = self._slots[asset_id] = _Slot()
        return slot

    def _forget_one(self) -> bool:
        """Forget the asset that changed longest ago; the database still knows it. Assets with alarms must stay."""
        for asset_id, slot in islice(self._slots.items(), _MAX_SEARCH):
            if not slot.alarms:
                del self._slots[asset_id]
                return True
        return False

    def _offer_reading(self, asset_id: str, newest: _Newest[NewestReading]) -> None:
        slot = self._slot(asset_id)
        if slot is not None and (slot.reading is None or slot.reading.ts_us <= newest.ts_us):
            slot.reading = newest
            self._touch(asset_id, slot)

    def _offer_judgement(self, asset_id: str, newest: _Newest[LiveJudgement]) -> None:
        slot = self._slot(asset_id)
        if slot is not None and (slot.judgement is None or slot.judgement.ts_us <= newest.ts_us):
            slot.judgement = newest
            self._touch(asset_id, slot)

    def _offer_health(self, asset_id: str, newest: _Newest[AssetHealth]) -> None:
        slot = self._slot(asset_id)
        if slot is not None:
            slot.health = newest
            self._touch(asset_id, slot)

    def _hold(self, frame: FrameRows) -> None:
        """Hold a frame for now, and let go of the oldest while all together are too large."""
        self._frames.append((weakref.ref(frame), frame.size_bytes))
        self._frame_bytes += frame.size_bytes
        while self._frame_bytes > self._max_frame_bytes:
            held, size_bytes = self._frames.popleft()
            self._frame_bytes -= size_bytes
            oldest = held()
            if oldest is not None:
                self._let_go(oldest)

    def _let_go(self, frame: FrameRows) -> None:
        """Copy the rows of a frame that are still the newest of their assets, so that the frame can go."""
        used: list[tuple[_Newest[Any], int]] = []
        for asset_id, _, row in frame.newest:
            slot = self._slots.get(asset_id)
            of_asset = () if slot is None else (slot.reading, slot.judgement)
            used += [(newest, row) for newest in of_asset if newest is not None and newest.frame is frame]
        for (newest, _), packed in zip(used, frame.pack([row for _, row in used]), strict=True):
            newest.read, newest.in_short, newest.frame = packed.read, packed.in_short, None

    def _touch(self, asset_id: str, slot: _Slot) -> None:
        self._version += 1
        slot.version = self._version
        self._slots.move_to_end(asset_id)

    def _saw(self, stage: Stage, ts_us: int) -> None:
        if ts_us > self._newest_us.get(stage, ts_us - 1):
            self._newest_us[stage] = ts_us


def _decode(asset_id: str, slot: _Slot) -> LiveAsset:
    """Decode a slot; what has not changed since the last time is reused."""
    old, (reading, judgement, health) = slot.decoded, slot.decoded_from
    newest = slot.reading or slot.judgement
    return LiveAsset(
        asset_id=asset_id,
        version=slot.version,
        asset_class=None if newest is None else newest.asset_class,
        reading=old.reading if old is not None and reading is slot.reading else _read(slot.reading),
        judgement=old.judgement if old is not None and judgement is slot.judgement else _read(slot.judgement),
        health=old.health if old is not None and health is slot.health else _read(slot.health),
        alarms=dict(slot.alarms),
    )


def _read(newest: _Newest[T] | None) -> T | None:
    if newest is None:
        return None
    try:
        return newest.read()
    except Exception as exc:  # noqa: BLE001  # whatever the message holds: the asset is shown without it
        _log.warning("live_value_ignored", problem=one_line(f"{type(exc).__name__}: {exc}"))
        return None


def _newest_health(data: bytes, sent_us: int) -> _Newest[AssetHealth]:
    return _Newest(sent_us, "", partial(decode_event, AssetHealth, data), partial(_health_in_short, data))


def _health_in_short(data: bytes) -> HealthInShort | None:
    try:
        short = _HealthInShort.model_validate_json(data)
    except ValidationError:
        return None  # logged when the whole event is decoded
    return HealthInShort(health=short.health, category=short.category, trend=short.trend)


_NAME: Final = re.compile(IDENTIFIER)
