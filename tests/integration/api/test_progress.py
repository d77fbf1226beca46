"""Which service stands, and which has nothing to do: consumer groups and topics of a real broker."""

from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.config import consumer_config, group_id
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.live.progress import KafkaProgress
from forewarn.contracts.answers.platform import StageState
from forewarn.contracts.topics import TopicName, qualified
from support.stack import wait_until

pytestmark = pytest.mark.integration


class MovedClock:
    """Now, and as much later as the test says."""

    def __init__(self):
        self.later_s = 0.0

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.later_s)

    def monotonic_s(self):
        return self.later_s


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def progress(kafka_broker, topic_prefix, clock):
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    watch = KafkaProgress(kafka_broker.bootstrap_servers, topic_prefix, clock)
    wait_until(lambda: _answers(watch), 30, "every partition of the new topics has a leader")
    yield watch
    watch.close()


def _answers(watch):
    try:
        return watch.look()
    except BrokerUnavailable:
        return None


@pytest.fixture
def commit(kafka_broker, topic_prefix):
    """Commit as a service's group does."""

    def go(service, topic, offset):
        group = group_id(service, topic_prefix)
        consumer = Consumer(consumer_config(kafka_broker.bootstrap_servers, group_id=group, client_id="test"))
        consumer.commit(offsets=[TopicPartition(qualified(topic, topic_prefix), 3, offset)], asynchronous=False)
        consumer.close()

    return go


@pytest.fixture
def produce(kafka_broker, topic_prefix):
    """Send messages to one partition, in a transaction as the processors do."""
    producer = Producer({"bootstrap.servers": kafka_broker.bootstrap_servers, "transactional.id": f"{topic_prefix}t"})
    producer.init_transactions(20)

    def go(topic, count):
        producer.begin_transaction()
        for _ in range(count):
            producer.produce(qualified(topic, topic_prefix), b"x", partition=3)
        producer.commit_transaction(20)

    return go


def _states(progress):
    return {stage.service: stage for stage in progress.look().stages}


def test_a_stage_that_does_not_read_what_is_there_stands_and_one_that_does_is_only_behind(
    progress, clock, produce, commit, topic_prefix
):
    idle = progress.look()
    assert {stage.state for stage in idle.stages} == {StageState.OK}
    assert idle.newest_input is None

    produce(TopicName.READINGS_RAW, 5)
    fresh = progress.look()
    assert {stage.state for stage in fresh.stages} == {StageState.OK}, "it has had no time to read them"
    assert abs((fresh.newest_input - clock.now()).total_seconds()) < 10

    clock.later_s += 31
    validator = _states(progress)["validator"]
    assert (validator.state, validator.topic) == (StageState.STANDS, f"{topic_prefix}readings.raw")
    assert validator.behind_messages >= 5
    assert abs((validator.since - fresh.newest_input).total_seconds()) < 2

    commit("validator", TopicName.READINGS_RAW, 2)
    assert _states(progress)["validator"].state is StageState.BEHIND
    clock.later_s += 31
    assert _states(progress)["validator"].state is StageState.STANDS
    commit("validator", TopicName.READINGS_RAW, 5)
    clock.later_s += 31
    states = _states(progress)
    assert {stage.state for stage in states.values()} == {StageState.OK}, "only the mark of a transaction is left"


def test_several_readers_of_a_topic_are_told_apart(progress, clock, produce, commit):
    produce(TopicName.READINGS_VALID, 3)
    commit("twin", TopicName.READINGS_VALID, 3)
    commit("alerting", TopicName.READINGS_VALID, 3)
    progress.look()
    clock.later_s += 31
    assert {name for name, stage in _states(progress).items() if stage.state is not StageState.OK} == {"sink"}
