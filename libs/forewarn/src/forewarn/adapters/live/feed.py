"""Follows the platform's output topics and keeps the newest state of every asset."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.frames.rows import FrameRows
from forewarn.adapters.kafka.config import read_ahead
from forewarn.adapters.kafka.follower import FollowerConfig, TopicFollower
from forewarn.adapters.kafka.records import record_of
from forewarn.adapters.live.state import LiveState
from forewarn.adapters.removals import read_removal
from forewarn.contracts.alarms import Alarm
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import EARLIEST, IDENTIFIER, LATEST
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.limits import KIB, MAX_LIVE_EVENT_BYTES, MAX_TURN_BYTES
from forewarn.contracts.topics import TopicName, qualified
from forewarn.domain.time import to_microseconds
from forewarn.ports.clock import Clock
from forewarn.ports.codec import InvalidEvent, InvalidFrame, one_line
from forewarn.ports.lanes import Record

FRAME_WAIT_S: Final = 0.2
EVENT_WAIT_S: Final = 0.05
_READ_AHEAD: Final = read_ahead(MAX_TURN_BYTES // 2)
#: Health comes once a second for every asset that sends data; older states are in the database.
HEALTH_LOOK_BACK_S: Final = 60.0

_ASSET_KEY: Final = re.compile(f"{IDENTIFIER}(/{IDENTIFIER})?")
_LOG_EVERY_S: Final = 1.0

_log = structlog.get_logger(__name__)


class KafkaLiveFeed:
    """Keeps ``view`` up to date.

    Frames are read from the end of their topics (older rows are in the database), open alarms and model cards from the
    beginning. Events have their own thread, so that an alarm never waits behind frames. Unreadable messages are counted
    by ``on_ignored``, which gets the topic, and logged at most once a second with the number skipped in between.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        catalogue: Mapping[str, AssetClass],
        *,
        client_id: str,
        clock: Clock,
        on_ignored: Callable[[str], None] = lambda _topic: None,
    ) -> None:
        self._prefix = prefix
        self._clock = clock
        self._on_ignored = on_ignored
        self._log_again_s = clock.monotonic_s()
        self._unlogged = 0
        self._catalogue = catalogue
        self.view = LiveState(self.problem)
        self._handlers: dict[str, Callable[[Record], None]] = {
            qualified(TopicName.READINGS_VALID, prefix): self._take_readings,
            qualified(TopicName.ANOMALY_SCORES, prefix): self._take_judgements,
            qualified(TopicName.ASSET_HEALTH, prefix): self._take_health,
            qualified(TopicName.ALERTS_ACTIVE, prefix): self._take_alarm,
            qualified(TopicName.MODELS, prefix): self._take_model,
        }
        frames = {qualified(name, prefix): 0.0 for name in (TopicName.READINGS_VALID, TopicName.ANOMALY_SCORES)}
        events = {
            qualified(TopicName.ASSET_HEALTH, prefix): HEALTH_LOOK_BACK_S,
            qualified(TopicName.ALERTS_ACTIVE, prefix): None,
            qualified(TopicName.MODELS, prefix): None,
        }
        self._health_topic = qualified(TopicName.ASSET_HEALTH, prefix)
        self._followers = tuple(
            TopicFollower(
                FollowerConfig(
                    bootstrap_servers=bootstrap_servers,
                    client_id=f"{client_id}-{what}",
                    batch_wait_s=wait_s,
                    # Few large fetches cost the broker less than many small ones; no reader looks more often.
                    settings={"fetch.wait.max.ms": int(wait_s * 1000), "fetch.min.bytes": 64 * KIB, **_READ_AHEAD},
                ),
                starts,
                record_of,
                self._take,
                clock,
            )
            for what, starts, wait_s in (("frames", frames, FRAME_WAIT_S), ("events", events, EVENT_WAIT_S))
        )

    def start(self) -> None:
        """Start following."""
        for follower in self._followers:
            follower.start()

    def close(self) -> None:
        """Stop following."""
        for follower in self._followers:
            follower.close()

    def failure(self) -> str | None:
        """Return what ended a thread; None while all are alive."""
        reasons = [f"{type(f.failure).__name__}: {f.failure}" for f in self._followers if f.failure is not None]
        return f"the live feed has stopped: {'; '.join(reasons)}" if reasons else None

    def problem(self) -> str | None:
        """Return why the view is incomplete; None when all is well."""
        if self.failure() is not None:
            return "the live feed has stopped: see the log"
        if not all(follower.caught_up.is_set() for follower in self._followers):
            return "the live feed is still reading open alarms and models: is the broker up and are the topics made?"
        return None

    def _take(self, records: Sequence[Record]) -> None:
        # Of an asset's health events in a batch only the newest is looked at; frames may each hold other assets.
        newest = {record.key: record for record in records if record.topic == self._health_topic}
        for record in records:
            if record.topic == self._health_topic and newest[record.key] is not record:
                continue
            try:
                self._handlers[record.topic](record)
            except Exception as exc:  # noqa: BLE001  # no message may end the feed, however bad it is
                # The topic's consumers dead-letter it; here it is just not shown.
                self._ignore(record, exc)
        self.view.announce()

    def _ignore(self, record: Record, problem: Exception) -> None:
        self._on_ignored(record.topic.removeprefix(self._prefix))
        place = f"{record.topic}/{record.partition}/{record.offset}"
        expected = isinstance(problem, InvalidFrame | InvalidEvent)
        text = str(problem) if expected else f"{type(problem).__name__}: {problem}"
        now_s = self._clock.monotonic_s()
        if now_s >= self._log_again_s:
            self._log_again_s = now_s + _LOG_EVERY_S
            _log.warning(
                "live_record_ignored",
                record=place,
                problem=one_line(text),
                more=self._unlogged,
                exc_info=None if expected else problem,
            )
            self._unlogged = 0
        else:
            self._unlogged += 1

    def _take_readings(self, record: Record) -> None:
        if removal := read_removal(record):
            self.view.end(removal.asset_id, "reading", record.partition)
            return
        self.view.take_readings(FrameRows.read(record.value or b"", self._catalogue, FrameKind.VALID), record.partition)

    def _take_judgements(self, record: Record) -> None:
        if removal := read_removal(record):
            self.view.end(removal.asset_id, "judgement", record.partition)
            return
        frame = FrameRows.read(record.value or b"", self._catalogue, FrameKind.ANOMALY)
        self.view.take_judgements(frame, record.partition)

    def _take_health(self, record: Record) -> None:
        if record.value is None:
            self.view.end(_asset_key(record), "health")
        else:
            self.view.take_health(_asset_key(record), _small(record.value), _within_years(record.received_us))

    def _take_alarm(self, record: Record) -> None:
        alarm = None if record.value is None else decode_event(Alarm, _small(record.value))
        key = _asset_key(record)
        _require_key(key, None if alarm is None else alarm.alarm_id)
        self.view.take_alarm(key, alarm)

    def _take_model(self, record: Record) -> None:
        model = None if record.value is None else decode_event(ModelArtefact, _small(record.value))
        key = _asset_key(record)
        _require_key(key, None if model is None else f"{model.asset_id}/{model.kind}")
        self.view.take_model(key, model)


def _asset_key(record: Record) -> str:
    """Return the key of a message about an asset: its id, on some topics followed by a slash and another id."""
    key = (record.key or b"").decode(errors="replace")
    if _ASSET_KEY.fullmatch(key) is None:
        raise InvalidEvent(f"the key {key!r} names no asset")
    return key


def _require_key(key: str, named: str | None) -> None:
    """Check that an entry is stored under its own name; otherwise its tombstone would not remove it."""
    if named is not None and named != key:
        raise InvalidEvent(f"the entry of {key!r} is about {named!r}")


def _small(value: bytes) -> bytes:
    if len(value) > MAX_LIVE_EVENT_BYTES:
        raise InvalidEvent(f"{len(value)} bytes, at most {MAX_LIVE_EVENT_BYTES} are kept")
    return value


def _within_years(received_us: int) -> int:
    """Return the broker's time stamp, which the sender may have set to anything."""
    return min(max(received_us, to_microseconds(EARLIEST)), to_microseconds(LATEST) - 1)
