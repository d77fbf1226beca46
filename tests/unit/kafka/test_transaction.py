"""What a transaction makes of the client's errors; the real broker's part is in tests/integration/frames."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from forewarn.adapters.kafka import transaction
from forewarn.adapters.kafka.transaction import TransactionAborted, TransactionalProducer
from forewarn.contracts.topics import TopicName
from forewarn.ports.lanes import Output

OUTPUT = Output(topic=TopicName.TWIN_STATES, key=None, value=b"frame")


class BrokenProducer:
    """A client whose next calls of ``produce`` fail with "erroneous state"."""

    def __init__(self, _settings):
        self.failing = 0
        self.calls = []

    def produce(self, *_args, **_options):
        self.calls.append("produce")
        if self.failing:
            self.failing -= 1
            raise KafkaException(KafkaError(KafkaError._STATE))

    def __getattr__(self, name):
        return lambda *_: self.calls.append(name)


@pytest.fixture
def producer(monkeypatch):
    monkeypatch.setattr(transaction, "Producer", BrokenProducer)
    return TransactionalProducer("nowhere:1", transactional_id="x", prefix="", on_wait=lambda: None)


def test_a_transaction_that_failed_unnoticed_is_rolled_back_once(producer):
    client = producer._producer
    for _ in range(2):
        client.failing = 1
        with pytest.raises(TransactionAborted):
            producer.commit([OUTPUT], (), None)
        assert client.calls[-1] == "abort_transaction"
        assert producer.commit([OUTPUT], (), None) == {TopicName.TWIN_STATES: 1}


def test_a_client_that_stays_in_an_erroneous_state_ends_the_process(producer):
    producer._producer.failing = 2
    with pytest.raises(TransactionAborted):
        producer.commit([OUTPUT], (), None)
    with pytest.raises(KafkaException):
        producer.commit([OUTPUT], (), None)
