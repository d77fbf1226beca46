"""Faust's Kafka transport, reading committed messages only.

Frames come from transactions. Faust reads them uncommitted unless it runs in exactly-once mode
(which is not trustworthy: streaming.md §2.1), so an aborted transaction would be taken for data.
"""

from typing import Any, ClassVar

from faust.transport.drivers import aiokafka as driver
from faust.types.transports import ConsumerT


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> Any:  # noqa: ANN401  # aiokafka has no types
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001  # read when it starts; Faust has no setting for it
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class ReadCommittedTransport(driver.Transport):
    """The aiokafka transport with ``isolation_level=read_committed``."""

    Consumer: ClassVar[type[ConsumerT]] = _Consumer
