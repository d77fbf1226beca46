"""A hop that does no work: messages from one topic to the next in Kafka transactions, as fast as they come.

``python -m bench.copier BOOTSTRAP SOURCE TARGET COUNT`` prints what it copied, when, and at which cost.
"""

import json
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition

from forewarn.adapters.kafka.config import consumer_config, producer_config

_AT_ONCE = 5_000
_LINGER_S = 0.02
_STEP_S = 30.0


def copy(bootstrap: str, source: str, target: str, count: int) -> dict[str, float]:
    """Copy ``count`` messages."""
    identity = f"bench-copy.{source}"
    consumer = Consumer(
        consumer_config(bootstrap, group_id=identity, client_id=identity, **{"max.poll.interval.ms": 600_000})
    )
    producer = Producer(
        producer_config(bootstrap, client_id=identity, **{"transactional.id": identity, "linger.ms": 0})
    )
    producer.init_transactions(_STEP_S)
    consumer.subscribe([source])
    copied, first_s = 0, 0.0
    while copied < count:
        messages = [m for m in consumer.consume(min(_AT_ONCE, count - copied), _LINGER_S) if m.error() is None]
        if not messages:
            continue
        if not copied:
            first_s, first_cpu_s = time.time(), time.process_time()
        producer.begin_transaction()
        producer.produce_batch(target, [{"key": m.key(), "value": m.value()} for m in messages])
        ends = {m.partition(): m.offset() + 1 for m in messages}
        offsets = [TopicPartition(source, partition, offset) for partition, offset in ends.items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), _STEP_S)
        producer.commit_transaction(_STEP_S)
        copied += len(messages)
    last_s, last_cpu_s = time.time(), time.process_time()
    consumer.close()
    return {"copied": copied, "first_s": first_s, "last_s": last_s, "cpu_s": last_cpu_s - first_cpu_s}


if __name__ == "__main__":
    print(json.dumps(copy(*sys.argv[1:4], int(sys.argv[4]))))  # noqa: T201  # the report
