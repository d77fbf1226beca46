"""Damaged messages on every topic of a running platform: no process ends, and what is right passes."""

import json
from datetime import UTC, datetime

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.kafka.publisher import EventPublisher
from forewarn.contracts.alarms import Alarm, Alert, Transition
from forewarn.contracts.assets import AcknowledgeAlarm, Command
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from support.platform import Platform
from support.stack import wait_until
from support.wire import Message, produce, read_topic
from unit.fuzz.corpus import messages, seeds

#: Damaged messages a topic: those that end a process are found by the thousands in the unit tests.
COUNT = 250


def assert_no_message_stops_it(platform: Platform, bootstrap: str, prefix: str, alarm: Alarm) -> None:
    """Feed it with poison, then acknowledge an alarm and wait for new readings of a healthy machine."""
    for topic, contract in TOPICS.items():
        if contract.content is not None:
            poison = [*messages(topic, COUNT, seed=7), *_command_of_year_one(topic)]
            produce(bootstrap, qualified(topic, prefix), [Message(key=m.key, value=m.value) for m in poison])
    begin = platform.get("/api/v1/assets/P-1/latest")["ts"]
    _acknowledge(bootstrap, prefix, alarm)

    def passed() -> bool:
        platform.assert_alive()
        alerts = [
            decode_event(Alert, r.value) for r in read_topic(bootstrap, TopicName.ALERTS, prefix) if _of(r, alarm)
        ]
        return any(alert.transition is Transition.ACKNOWLEDGED for alert in alerts)

    wait_until(passed, 120, "the acknowledgement behind the poison did not come through", 1.0)
    wait_until(lambda: platform.get("/api/v1/assets/P-1/latest")["ts"] > begin, 60, "no reading behind the poison")
    wait_until(lambda: _kept(bootstrap, prefix), 60, "no refused command was kept", 1.0)
    platform.assert_alive()


def _command_of_year_one(topic: TopicName) -> list[Message]:
    """A time whose offset leads out of the calendar: it once ended three services, for as long as the topic kept it."""
    if topic is not TopicName.COMMANDS:
        return []
    document = json.loads(seeds(topic)[0].value or b"{}") | {"issued_at": "0001-01-01T00:00:00+05:00"}
    return [Message(key=b"P-101", value=json.dumps(document).encode())]


def _acknowledge(bootstrap: str, prefix: str, alarm: Alarm) -> None:
    now = datetime.now(UTC)
    body = AcknowledgeAlarm(alarm_id=alarm.alarm_id, occurrence_id=alarm.occurrence_id)
    command = Command(
        command_id="behind-the-poison", asset_id=alarm.asset_id, issued_at=now, issued_by="ann", body=body
    )
    publisher = EventPublisher(bootstrap, prefix, source="/forewarn/test")
    publisher.publish(TopicName.COMMANDS, alarm.asset_id, command, event_id=command.command_id, at=now)
    publisher.flush(30)


def _of(record, alarm: Alarm) -> bool:
    """Transitions of the alarm, among whatever the poison put on the topic."""
    return record.key == alarm.asset_id.encode() and alarm.occurrence_id.encode() in (record.value or b"")


def _kept(bootstrap: str, prefix: str) -> bool:
    """Whether refused commands are on ``readings.rejected``, among the damaged messages of that topic itself."""
    commands = qualified(TopicName.COMMANDS, prefix).encode()
    return any(
        b'"topic":"' + commands in (r.value or b"") for r in read_topic(bootstrap, TopicName.READINGS_REJECTED, prefix)
    )
