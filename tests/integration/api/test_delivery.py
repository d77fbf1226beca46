"""Confirmed delivery on a real broker."""

import asyncio
from datetime import UTC, datetime

import pytest
from confluent_kafka import TopicPartition

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.delivery import KafkaDelivery
from forewarn.adapters.kafka.registry import AssetRegistry
from forewarn.contracts.assets import Command
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.delivery import BrokerSilent, DeliveryOverloaded, OutgoingMessage
from support.delivery_checks import SEEN, DeliveryChecks
from support.wire import read_topic

pytestmark = pytest.mark.integration


def raw(asset: str, number: int) -> OutgoingMessage:
    return OutgoingMessage(topic=TopicName.READINGS_RAW, key=asset.encode(), value=b"%d" % number)


@pytest.fixture
def delivery(kafka_broker, topic_prefix):
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    made = KafkaDelivery(
        kafka_broker.bootstrap_servers, topic_prefix, source="/forewarn/api", timeout_s=20, max_under_way=5_000
    )
    yield made
    made.close()


async def test_everything_confirmed_is_stored_in_order_in_the_partition_of_its_key(
    delivery, kafka_broker, topic_prefix
):
    assets = [f"P-{n:03d}" for n in range(20)]
    lists = [[raw(asset, n) for asset in assets] for n in range(100)]
    outcomes = await asyncio.gather(*(delivery.send(messages) for messages in lists))
    assert outcomes == [()] * 100
    records = read_topic(kafka_broker.bootstrap_servers, TopicName.READINGS_RAW, topic_prefix)
    assert len(records) == 2_000
    by_asset = {asset: [(r.partition, int(r.value)) for r in records if r.key == asset.encode()] for asset in assets}
    for stored in by_asset.values():
        assert len({partition for partition, _ in stored}) == 1
        assert [number for _, number in stored] == list(range(100))
    # The partitioner of Java's clients: asset P-000 must be where a Java gateway would put it.
    assert {asset: stored[0][0] for asset, stored in by_asset.items()} == {asset: murmur2(asset) for asset in assets}


def murmur2(key: str, partitions: int = 12) -> int:
    """Partition of a key by Kafka's DefaultPartitioner, written independently."""
    data, mask = key.encode(), 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * 0x5BD1E995 & mask
        k = (k ^ (k >> 24)) * 0x5BD1E995 & mask
        h = (h * 0x5BD1E995 & mask) ^ k
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * 0x5BD1E995 & mask
    h = (h ^ (h >> 13)) * 0x5BD1E995 & mask
    return ((h ^ (h >> 15)) & 0x7FFFFFFF) % partitions


async def test_events_carry_cloud_events_headers(delivery, kafka_broker, topic_prefix):
    at = datetime(2026, 11, 20, 20, tzinfo=UTC)
    command = Command(command_id="c-1", asset_id="P-1", issued_at=at, issued_by="ada", body=SEEN)
    assert await delivery.publish(TopicName.COMMANDS, "P-1", command, event_id="c-1", at=at) is None
    [record] = read_topic(kafka_broker.bootstrap_servers, TopicName.COMMANDS, topic_prefix)
    assert Command.model_validate_json(record.value) == command
    assert record.key == b"P-1"
    headers = read_headers(kafka_broker.bootstrap_servers, qualified(TopicName.COMMANDS, topic_prefix), record)
    assert headers["ce_id"] == b"c-1"
    assert headers["ce_type"] == b"org.forewarn.command.v1"
    assert headers["ce_source"] == b"/forewarn/api"


def read_headers(bootstrap, topic, record):
    from confluent_kafka import Consumer

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "headers"})
    consumer.assign([TopicPartition(topic, record.partition, record.offset)])
    message = consumer.poll(20)
    consumer.close()
    return dict(message.headers())


class TestKafkaDelivery(DeliveryChecks):
    """Kafka passes the suite of every delivery."""

    @pytest.fixture
    def registry(self, delivery, kafka_broker, topic_prefix):
        made = AssetRegistry(kafka_broker.bootstrap_servers, topic_prefix, client_id="checks")
        yield made
        made.close()

    @pytest.fixture
    def stored(self, kafka_broker, topic_prefix):
        def read():
            records = read_topic(kafka_broker.bootstrap_servers, TopicName.READINGS_RAW, topic_prefix)
            return [(record.key, record.value) for record in records]

        return read

    @pytest.fixture
    def away(self, topic_prefix):
        made = KafkaDelivery("127.0.0.1:1", topic_prefix, source="/forewarn/api", timeout_s=1, max_under_way=10)
        yield made
        made.close()


async def test_more_than_may_be_under_way_is_refused_before_anything_is_sent(delivery, kafka_broker, topic_prefix):
    with pytest.raises(DeliveryOverloaded):
        await delivery.send([raw("P-1", n) for n in range(5_001)])
    assert await delivery.send([raw("P-1", 7)]) == ()
    records = read_topic(kafka_broker.bootstrap_servers, TopicName.READINGS_RAW, topic_prefix)
    assert [r.value for r in records] == [b"7"]


async def test_bytes_that_may_be_under_way_are_bounded_as_messages_are(topic_prefix):
    """50,000 messages may be of 8 MiB each. Without a broker they stay under way until they time out."""
    away = KafkaDelivery("127.0.0.1:1", topic_prefix, source="/forewarn/api", timeout_s=1, max_under_way=10)
    large = OutgoingMessage(topic=TopicName.READINGS_RAW, key=b"P-1", value=b"x" * (7 * 2**20))
    outcomes = await asyncio.gather(*(away.send([large]) for _ in range(6)), return_exceptions=True)
    assert [len(failed) for failed in outcomes[:4]] == [1] * 4
    assert all(isinstance(outcome, DeliveryOverloaded) for outcome in outcomes[4:])
    assert len(await away.send([large])) == 1, "there is room again"
    away.close()


async def test_what_is_too_large_fails_alone(delivery, kafka_broker, topic_prefix):
    large = OutgoingMessage(topic=TopicName.READINGS_RAW, key=b"P-1", value=b"x" * (17 * 2**20))
    failed = await delivery.send([raw("P-1", 1), large, raw("P-1", 2)])
    assert [failure.index for failure in failed] == [1]
    records = read_topic(kafka_broker.bootstrap_servers, TopicName.READINGS_RAW, topic_prefix)
    assert [r.value for r in records] == [b"1", b"2"]


async def test_a_broker_that_dies_confirms_nothing_it_has_not_stored(dedicated_broker, topic_prefix):
    broker = dedicated_broker()
    create_topics(broker.bootstrap_servers, topic_prefix)
    delivery = KafkaDelivery(
        broker.bootstrap_servers, topic_prefix, source="/forewarn/api", timeout_s=8, max_under_way=50_000
    )
    confirmed: set[int] = set()
    numbers = iter(range(100_000))

    async def send(count):
        batch = [next(numbers) for _ in range(count)]
        failed = {failure.index for failure in await delivery.send([raw(f"P-{n % 7}", n) for n in batch])}
        confirmed.update(n for position, n in enumerate(batch) if position not in failed)
        return len(failed)

    try:
        for _ in range(20):
            assert await send(50) == 0
        under_way = [asyncio.create_task(send(50)) for _ in range(20)]
        await asyncio.to_thread(broker.kill)
        await asyncio.gather(*under_way)  # some may have made it
        assert await send(50) == 50
        with pytest.raises(BrokerSilent):
            await delivery.ping()
        await asyncio.to_thread(broker.restart)
        recovered = False
        for _ in range(20):  # sequence numbers have to be made up with the broker first
            recovered = await send(50) == 0
            if recovered:
                break
        assert recovered
        assert await send(1_000) == 0
        records = read_topic(broker.bootstrap_servers, TopicName.READINGS_RAW, topic_prefix)
        stored = [int(r.value) for r in records]
        assert len(confirmed) > 2_000
        assert confirmed <= set(stored)
        assert len([n for n in stored if n in confirmed]) == len(confirmed), "nothing confirmed is stored twice"
    finally:
        delivery.close()
