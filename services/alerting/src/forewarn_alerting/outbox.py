"""Stores alarm transitions before publishing them, so that each is decided once.

A transition is stored together with the resulting state, then published. After a crash in between it is published
again under the same ``alert_id``, but not decided again from older state, in whatever order scores, health and
commands are reread.
"""

from collections.abc import Sequence
from dataclasses import replace

from forewarn.adapters.faust.publisher import Outgoing
from forewarn.contracts.alarms import Alarm, Alert, Transition
from forewarn.contracts.topics import TopicName
from forewarn.domain.alarms.asset import AssetAlarms
from forewarn.runtime.event_service import EventContext


class Outbox:
    """Publishes transitions and the current state of open alarms."""

    def __init__(self, context: EventContext[AssetAlarms]) -> None:
        self._context = context
        self._shown: dict[str, float | None] = {}

    async def publish(self, alerts: Sequence[Alert]) -> None:
        """Store and publish transitions of assets whose states were just updated."""
        if not alerts:
            return
        engine = self._context.engine
        own: dict[str, list[Alert]] = {}
        for alert in alerts:
            own.setdefault(alert.alarm.asset_id, []).append(alert)
        for asset_id, transitions in own.items():
            self._put(replace(engine.states[asset_id], outbox=tuple(transitions)))
        await engine.store(own)
        await self._send(alerts)
        for asset_id in own:
            self._put(replace(engine.states[asset_id], outbox=()))

    async def resume(self) -> None:
        """Publish pending transitions and every open alarm, after a restart."""
        self._shown.clear()
        for alarms in list(self._context.engine.states.values()):
            if alarms.outbox:
                await self._send(alarms.outbox)
                self._put(replace(alarms, outbox=()))
        await self.refresh()

    async def refresh(self) -> None:
        """Publish open alarms whose worst value has worsened since they were last published."""
        stale = [
            alarm
            for alarms in self._context.engine.states.values()
            for alarm in alarms.open_alarms
            if alarm.alarm_id not in self._shown or self._shown[alarm.alarm_id] != alarm.value
        ]
        await self._context.publish([self._present(alarm) for alarm in stale])

    async def _send(self, alerts: Sequence[Alert]) -> None:
        newest = {alert.alarm.alarm_id: alert for alert in alerts}
        history = [self._transition(alert) for alert in alerts]
        await self._context.publish([*history, *(self._shown_as(alert) for alert in newest.values())])

    def _put(self, alarms: AssetAlarms) -> None:
        engine = self._context.engine
        engine.put(alarms.asset_id, alarms, engine.partition_of(alarms.asset_id))

    def _transition(self, alert: Alert) -> Outgoing:
        asset_id = alert.alarm.asset_id
        return Outgoing(
            topic=TopicName.ALERTS,
            key=asset_id,
            event=alert,
            event_id=alert.alert_id,
            at=alert.at,
            partition=self._context.engine.partition_of(asset_id),
        )

    def _shown_as(self, alert: Alert) -> Outgoing:
        if alert.transition is not Transition.CLOSED:
            return self._present(alert.alarm)
        self._shown.pop(alert.alarm.alarm_id, None)
        return Outgoing(
            topic=TopicName.ALERTS_ACTIVE,
            key=alert.alarm.alarm_id,
            event=None,
            event_id=alert.alert_id,
            at=alert.at,
        )

    def _present(self, alarm: Alarm) -> Outgoing:
        self._shown[alarm.alarm_id] = alarm.value
        return Outgoing(
            topic=TopicName.ALERTS_ACTIVE,
            key=alarm.alarm_id,
            event=alarm,
            event_id=f"{alarm.occurrence_id}:{alarm.state.value}@{alarm.last_active_at.isoformat()}",
            at=alarm.last_active_at,
        )
