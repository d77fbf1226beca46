"""No message stops a consumer: damaged messages of every topic, in front of everyone who reads it."""

import pytest
import structlog

from forewarn.contracts.topics import TOPICS, TopicName
from unit.fuzz.consumers import CONSUMERS, snapshots
from unit.fuzz.corpus import messages

#: Damaged messages for each consumer: more where a message costs little and where anyone may send one.
COUNTS = {
    (TopicName.READINGS_RAW, "validator"): 20_000,
    (TopicName.READINGS_VALID, "twin"): 1_000,
    (TopicName.TWIN_STATES, "anomaly"): 1_000,
    (TopicName.ANOMALY_SCORES, "health"): 1_000,
    (TopicName.COMMANDS, "simulator"): 1_000,
    (TopicName.ASSETS, "api"): 1_000,
}
USUAL = 1_500

#: Readers that are no part of the platform.
OTHERS = {"downstream"}

_PAIRS = [(topic.name, consumer) for topic in TOPICS.values() for consumer in topic.consumers if consumer not in OTHERS]


@pytest.fixture(autouse=True)
def quiet():
    """Every refusal is a line of the log: tens of thousands of them say nothing here."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


def test_every_consumer_of_the_table_of_topics_is_fed():
    assert set(CONSUMERS) == set(_PAIRS)
    assert sum(COUNTS.get(pair, USUAL) for pair in CONSUMERS) >= 50_000


# absurd values overflow on purpose; what must not happen is that something else than the value comes to harm
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("topic", "consumer"), CONSUMERS, ids=str)
def test_no_message_stops_a_consumer(topic, consumer):
    damaged = snapshots if TOPICS[topic].content is None else messages
    CONSUMERS[topic, consumer](topic, damaged(topic, COUNTS.get((topic, consumer), USUAL)))
