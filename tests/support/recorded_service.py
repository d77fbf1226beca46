"""``python -m support.recorded_service FILE PACKAGE``: a service that notes which topics it reads and writes.

A line of FILE is ``read TOPIC`` or ``write TOPIC``. What a client asks the broker about topics is no reading, and
neither is the API's look at the oldest unread message of other services.
"""

import runpy
import sys
from pathlib import Path

import confluent_kafka

_seen: set[str] = set()


def _note(what: str, topics) -> None:
    for topic in topics:
        if (line := f"{what} {topic}\n") not in _seen:
            _seen.add(line)
            with _file.open("a") as file:
                file.write(line)


class Consumer(confluent_kafka.Consumer):
    def __init__(self, config):
        super().__init__(config)
        self._is_silent = config["client.id"].endswith("forewarn.progress")

    def subscribe(self, topics, **callbacks):
        _note("read", topics)
        super().subscribe(topics, **callbacks)

    def assign(self, places):
        if not self._is_silent:
            _note("read", {place.topic for place in places})
        super().assign(places)

    def incremental_assign(self, places):
        _note("read", {place.topic for place in places})
        super().incremental_assign(places)


class Producer(confluent_kafka.Producer):
    def produce(self, topic, *args, **kwargs):
        _note("write", [topic])
        super().produce(topic, *args, **kwargs)

    def produce_batch(self, topic, *args, **kwargs):
        _note("write", [topic])
        return super().produce_batch(topic, *args, **kwargs)


def _record_faust() -> None:
    import aiokafka

    send, subscribe = aiokafka.AIOKafkaProducer.send, aiokafka.AIOKafkaConsumer.subscribe

    async def recorded_send(self, topic, *args, **kwargs):
        _note("write", [topic])
        return await send(self, topic, *args, **kwargs)

    def recorded_subscribe(self, topics=(), *args, **kwargs):
        _note("read", topics)
        return subscribe(self, topics, *args, **kwargs)

    aiokafka.AIOKafkaProducer.send = recorded_send
    aiokafka.AIOKafkaConsumer.subscribe = recorded_subscribe


if __name__ == "__main__":
    _file = Path(sys.argv.pop(1))
    confluent_kafka.Consumer, confluent_kafka.Producer = Consumer, Producer
    _record_faust()
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
