"""Logic of the alerting service: frames, health and commands in, transitions of alarms out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from forewarn.adapters.catalogue import Catalogue
from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.faust.engine import Action, one_by_one
from forewarn.adapters.faust.quarantine import Handler
from forewarn.adapters.frames.turn import read_turn
from forewarn.adapters.removals import between_removals, read_removal
from forewarn.contracts.alarms import AlarmSource, Alert
from forewarn.contracts.assets import AcknowledgeAlarm, Command
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import AssetHealth
from forewarn.contracts.readings import RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.domain.alarms.asset import AssetAlarms, acknowledge_alarm, remove_alarms
from forewarn.domain.alarms.health import observe_health
from forewarn.domain.alarms.lifecycle import Refused
from forewarn.domain.alarms.rows import observe_frame, portions
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.frames.frame import Frame
from forewarn.domain.time import to_datetime
from forewarn.ports.codec import InvalidEvent
from forewarn.ports.lanes import Record
from forewarn.runtime.event_service import EventContext
from forewarn.runtime.metrics import counter
from forewarn_alerting.outbox import Outbox

#: Interval of updates on ``alerts.active`` while open alarms get worse.
_REFRESH_S: Final = 2.0

#: Alarms wait so long, so that many messages share the cost of a turn.
GATHER_S: Final = 0.1

#: Alarm sources by the only topic that feeds them: a removal on it closes their alarms.
_OF_FRAMES: Final[Mapping[FrameKind, frozenset[AlarmSource]]] = {
    FrameKind.VALID: frozenset({"threshold"}),
    FrameKind.ANOMALY: frozenset({"threshold", "anomaly"}),
}
_OF_HEALTH: Final[frozenset[AlarmSource]] = frozenset({"health", "rul", "forecast"})
#: Rows of an asset between two publications. Its state holds the pending transitions, a kilobyte each, and must fit
#: into one changelog message however often values cross a limit.
_ROWS_AT_ONCE: Final = 200

_log = structlog.get_logger(__name__)


class AlertingLogic:
    """Implements ``forewarn.runtime.event_service.EventLogic``."""

    def __init__(self, context: EventContext[AssetAlarms], catalogue: Catalogue) -> None:
        self._context = context
        self._catalogue = catalogue
        self._outbox = Outbox(context)
        self._seen = Seen()
        self._transitions = counter("forewarn_alarm_transitions")
        self._refused = counter("forewarn_commands_refused")

    @property
    def handlers(self) -> Mapping[TopicName, Handler]:
        """Handlers of four topics; an asset has the same partition on all, so one worker sees all its messages."""
        return {
            TopicName.READINGS_VALID: partial(self._on_frames, FrameKind.VALID),
            TopicName.ANOMALY_SCORES: partial(self._on_frames, FrameKind.ANOMALY),
            TopicName.ASSET_HEALTH: one_by_one(self._on_health),
            TopicName.COMMANDS: one_by_one(self._on_command),
        }

    @property
    def timers(self) -> Sequence[tuple[float, Action]]:
        """Refresh of worst values; transitions are published at once."""
        return ((_REFRESH_S, self._outbox.refresh),)

    async def restored(self) -> None:
        """Publish what a crash may have left unpublished."""
        self._seen = Seen.of(self._context.engine.states)
        await self._outbox.resume()

    async def _on_frames(self, kind: FrameKind, batch: Sequence[Record]) -> None:
        for stretch, removal in between_removals(batch):
            await self._observe(kind, stretch)
            if removal is not None:
                await self._on_removal(kind, removal)

    async def _on_removal(self, kind: FrameKind, incoming: Record) -> None:
        """Close the alarms fed by this topic: no row of the removed asset follows."""
        removal = read_removal(incoming)
        if removal is None:
            await self._reject(incoming, RejectionReason.BAD_FRAME, "the message is not a removal")
            return
        marks = (self._seen.readings,) if kind is FrameKind.VALID else (self._seen.readings, self._seen.scores)
        for watermarks in marks:
            watermarks.forget(removal.asset_id)
        sources = _OF_FRAMES[kind]
        await self._close(removal.asset_id, incoming, sources, removal.removed_at, removal.removed_by)

    async def _close(
        self, asset_id: str, incoming: Record, sources: frozenset[AlarmSource], at: datetime, by: str
    ) -> None:
        """Close a removed asset's alarms of some sources, and drop its state with the last of them."""
        before = self._context.engine.states.get(asset_id)
        if before is None or self._context.engine.partition_of(asset_id) != incoming.partition:
            return
        after, alerts = remove_alarms(before, sources, at, by)
        self._put(after, incoming)
        await self._publish(alerts)
        if not after.rules:
            self._context.engine.remove(asset_id)

    async def _observe(self, kind: FrameKind, batch: Sequence[Record]) -> None:
        turn = read_turn(batch, self._catalogue, kind)
        for incoming, problem in turn.unreadable:
            await self._reject(incoming, RejectionReason.BAD_FRAME, problem)
        for joined in turn.frames:
            for frame in portions(joined.frame, _ROWS_AT_ONCE):
                await self._observe_rows(frame, joined.partitions)

    async def _observe_rows(self, frame: Frame, partitions: Mapping[str, int]) -> None:
        result = observe_frame(self._context.engine.states, self._seen, frame)
        for asset_id, alarms in result.states.items():
            self._context.engine.put(asset_id, alarms, partitions[asset_id])
        self._context.metrics.rows.labels(fate="applied").inc(result.applied)
        self._context.metrics.rows.labels(fate="skipped").inc(result.skipped)
        await self._publish(result.alerts)

    async def _on_health(self, incoming: Record) -> None:
        if incoming.value is None and incoming.key is not None:
            asset_id = incoming.key.decode(errors="replace")
            self._seen.health.forget(asset_id)
            await self._close(asset_id, incoming, _OF_HEALTH, to_datetime(incoming.received_us), "forewarn")
            return
        try:
            health = decode_event(AssetHealth, incoming.value or b"")
        except InvalidEvent as exc:
            await self._reject(incoming, RejectionReason.BAD_STRUCTURE, str(exc))
            return
        asset_class = self._catalogue.get(health.asset_class)
        if asset_class is None:
            known = ", ".join(sorted(self._catalogue))
            explanation = f"asset class {health.asset_class!r} is not in the catalogue ({known})"
            await self._reject(incoming, RejectionReason.BAD_STRUCTURE, explanation)
            return
        before = self._alarms(health.asset_id)
        after, alerts = observe_health(before, self._seen, asset_class, health)
        if after is not before:
            self._put(after, incoming)
            await self._publish(alerts)

    async def _on_command(self, incoming: Record) -> None:
        try:
            command = decode_event(Command, incoming.value or b"")
        except InvalidEvent as exc:
            await self._reject(incoming, RejectionReason.BAD_STRUCTURE, str(exc))
            return
        if not isinstance(command.body, AcknowledgeAlarm):
            return  # for another service
        before = self._alarms(command.asset_id)
        try:
            after, alerts = acknowledge_alarm(
                before, command.body, command.issued_by, command.issued_at, command.command_id
            )
        except Refused as exc:
            self._refused.inc()
            _log.warning("acknowledgement_refused", command_id=command.command_id, reason=str(exc))
            return
        self._put(after, incoming)
        await self._publish(alerts)

    def _alarms(self, asset_id: str) -> AssetAlarms:
        return self._context.engine.states.get(asset_id) or AssetAlarms(asset_id=asset_id)

    def _put(self, alarms: AssetAlarms, incoming: Record) -> None:
        engine = self._context.engine
        known = alarms.asset_id in engine.states
        partition = engine.partition_of(alarms.asset_id) if known else incoming.partition
        engine.put(alarms.asset_id, alarms, partition)

    async def _publish(self, alerts: Sequence[Alert]) -> None:
        await self._outbox.publish(alerts)
        for alert in alerts:
            self._transitions.labels(transition=alert.transition.value).inc()
            _log.info(
                "alarm", transition=alert.transition.value, alarm_id=alert.alarm.alarm_id, message=alert.alarm.message
            )

    async def _reject(self, incoming: Record, reason: RejectionReason, explanation: str) -> None:
        _log.warning(
            "message_rejected",
            topic=incoming.topic,
            partition=incoming.partition,
            offset=incoming.offset,
            reason=explanation,
        )
        await self._context.reject(incoming, reason, explanation)
