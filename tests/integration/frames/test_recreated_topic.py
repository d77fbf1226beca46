"""A topic that was deleted and created again is read from its start, although it has outgrown what was committed."""

import pytest
from confluent_kafka.admin import AdminClient

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.errors import BrokerRefused
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName, qualified
from integration.frames.processors import CATALOGUE, VALIDATOR
from integration.frames.running import start_service, wait_until_drained
from support.plant import PUMPS, pump_messages, register
from support.stack import wait_until
from support.wire import produce, read_topic, rows_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


def test_a_recreated_topic_is_noticed_and_read_from_its_start(kafka_broker, topic_prefix, spawn_service):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    raw = qualified(TopicName.READINGS_RAW, topic_prefix)
    first, second = list(pump_messages(20, seed=1)), list(pump_messages(40, seed=2))
    produce(bootstrap, raw, first)
    validator = start_service(spawn_service, VALIDATOR, bootstrap, topic_prefix, "1")
    wait_until_drained(VALIDATOR, bootstrap, topic_prefix)
    assert validator.terminate() < 10

    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.delete_topics([raw])[raw].result(20)
    wait_until(lambda: _created(bootstrap, topic_prefix, raw), 30)
    produce(bootstrap, raw, second)
    validator.start()
    wait_until_drained(VALIDATOR, bootstrap, topic_prefix)
    assert validator.terminate() < 10

    assert "snapshot_ignored" in validator.log
    assert "deleted" in validator.log
    frames = [r.value for r in read_topic(bootstrap, TopicName.READINGS_VALID, topic_prefix)]
    found = rows_of(frames, FrameKind.VALID, CATALOGUE)
    assert len(found.values) == len(first) + len(second) == 60 * len(PUMPS)


def _created(bootstrap: str, prefix: str, raw: str) -> bool:
    try:
        return raw in create_topics(bootstrap, prefix).created
    except BrokerRefused:
        return False  # the old one is still being deleted
