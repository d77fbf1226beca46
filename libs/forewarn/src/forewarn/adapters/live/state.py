"""The newest state of every asset in memory: written by the feed's threads, read by the API's event loop."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.live.frames import FrameRows
from forewarn.contracts.alarms import Alarm
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.ports.codec import InvalidEvent
from forewarn.ports.live import LiveAsset, LiveJudgement, LiveReading, Stage

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Row:
    """Where an asset's newest row is: it keeps one frame alive, whatever comes and goes."""

    ts_us: int
    frame: FrameRows
    row: int


@dataclass(slots=True)
class _Slot:
    """Newest of everything for one asset, undecoded where it comes often."""

    version: int = 0
    reading: _Row | None = None
    judgement: _Row | None = None
    health: bytes | None = None
    alarms: dict[str, Alarm] = field(default_factory=dict)
    decoded: LiveAsset | None = None
    decoded_from: tuple[_Row | None, _Row | None, bytes | None] = (None, None, None)


class LiveState:
    """Holds the newest state; memory is bounded by the number of assets, never by the rate of data.

    Each change gives the asset a new version, so that a reader finds what changed since it last
    looked: there are no queues, and a slow reader simply skips what it missed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()  # in the order of their last change
        self._models: dict[str, ModelArtefact] = {}
        self._newest_us: dict[Stage, int] = {}
        self._version = 0
        self._listeners: list[Callable[[], None]] = []

    @property
    def version(self) -> int:
        """Grows with each change of any asset."""
        return self._version

    def take_readings(self, frame: FrameRows) -> None:
        """Take in a frame of kind VALID."""
        with self._lock:
            for asset_id, ts_us, row in frame.newest:
                slot = self._slot(asset_id)
                if slot.reading is None or slot.reading.ts_us <= ts_us:
                    slot.reading = _Row(ts_us, frame, row)
                    self._touch(asset_id, slot)
                self._saw("readings.valid", ts_us)

    def take_judgements(self, frame: FrameRows) -> None:
        """Take in a frame of kind ANOMALY."""
        with self._lock:
            for asset_id, ts_us, row in frame.newest:
                slot = self._slot(asset_id)
                if slot.judgement is None or slot.judgement.ts_us <= ts_us:
                    slot.judgement = _Row(ts_us, frame, row)
                    self._touch(asset_id, slot)
                self._saw("anomaly.scores", ts_us)

    def take_health(self, asset_id: str, data: bytes, sent_us: int) -> None:
        """Take in an event of ``asset.health``; it is decoded when somebody asks."""
        with self._lock:
            slot = self._slot(asset_id)
            slot.health = data
            self._touch(asset_id, slot)
            self._saw("asset.health", sent_us)

    def take_alarm(self, alarm_id: str, alarm: Alarm | None) -> None:
        """Take in an entry of ``alerts.active``; None closes the alarm."""
        asset_id = alarm_id.partition("/")[0]
        with self._lock:
            slot = self._slot(asset_id)
            if alarm is None:
                slot.alarms.pop(alarm_id, None)
            else:
                slot.alarms[alarm_id] = alarm
            self._touch(asset_id, slot)

    def take_model(self, key: str, model: ModelArtefact | None) -> None:
        """Take in an entry of ``models``; None removes it."""
        with self._lock:
            if model is None:
                self._models.pop(key, None)
            else:
                self._models[key] = model

    def announce(self) -> None:
        """Tell listeners that something may have changed."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_change`` after changes, from the feed's threads; returns the function that ends it."""
        with self._lock:
            self._listeners.append(on_change)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(on_change)

        return stop

    def asset(self, asset_id: str) -> LiveAsset | None:
        """What is known of an asset; decoded once for each version, however many ask."""
        with self._lock:
            slot = self._slots.get(asset_id)
            if slot is None:
                return None
            if slot.decoded is None or slot.decoded.version != slot.version:
                slot.decoded = _decode(asset_id, slot)
                slot.decoded_from = (slot.reading, slot.judgement, slot.health)
            return slot.decoded

    def changed_since(self, version: int) -> Sequence[str]:
        """Assets that changed after ``version``, those that changed longest ago first."""
        changed: list[str] = []
        with self._lock:
            for asset_id in reversed(self._slots):
                if self._slots[asset_id].version <= version:
                    break
                changed.append(asset_id)
        return changed[::-1]

    def alarms(self) -> Sequence[Alarm]:
        """Every open alarm."""
        with self._lock:
            return [alarm for slot in self._slots.values() for alarm in slot.alarms.values()]

    def alarm(self, alarm_id: str) -> Alarm | None:
        """An open alarm."""
        with self._lock:
            slot = self._slots.get(alarm_id.partition("/")[0])
            return None if slot is None else slot.alarms.get(alarm_id)

    def models(self) -> Sequence[ModelArtefact]:
        """Card of the newest model of every asset and kind."""
        with self._lock:
            return list(self._models.values())

    def newest(self) -> Mapping[Stage, datetime]:
        """Event time of the newest data of each stage."""
        with self._lock:
            return {stage: _EPOCH + timedelta(microseconds=us) for stage, us in self._newest_us.items()}

    def _slot(self, asset_id: str) -> _Slot:
        slot = self._slots.get(asset_id)
        if slot is None:
            slot = self._slots[asset_id] = _Slot()
        return slot

    def _touch(self, asset_id: str, slot: _Slot) -> None:
        self._version += 1
        slot.version = self._version
        self._slots.move_to_end(asset_id)

    def _saw(self, stage: Stage, ts_us: int) -> None:
        if ts_us > self._newest_us.get(stage, ts_us - 1):
            self._newest_us[stage] = ts_us


def _decode(asset_id: str, slot: _Slot) -> LiveAsset:
    """Turn a slot into values; what has not changed since the last time is taken from there."""
    old, (reading, judgement, health) = slot.decoded, slot.decoded_from
    newest = slot.reading or slot.judgement
    return LiveAsset(
        asset_id=asset_id,
        version=slot.version,
        asset_class=None if newest is None else newest.frame.asset_class.name,
        reading=old.reading if old is not None and reading is slot.reading else _reading(slot.reading),
        judgement=old.judgement if old is not None and judgement is slot.judgement else _judgement(slot.judgement),
        health=old.health if old is not None and health is slot.health else _health(asset_id, slot.health),
        alarms=dict(slot.alarms),
    )


def _reading(newest: _Row | None) -> LiveReading | None:
    return None if newest is None else newest.frame.reading(newest.row)


def _judgement(newest: _Row | None) -> LiveJudgement | None:
    return None if newest is None else newest.frame.judgement(newest.row)


def _health(asset_id: str, data: bytes | None) -> AssetHealth | None:
    if data is None:
        return None
    try:
        return decode_event(AssetHealth, data)
    except InvalidEvent as exc:
        _log.warning("health_ignored", asset_id=asset_id, problem=str(exc))
        return None
