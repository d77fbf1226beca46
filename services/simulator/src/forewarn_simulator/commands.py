"""Listens to ``commands`` for what people want of the simulated machines."""

from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from forewarn.adapters.kafka.command_group import commands_of
from forewarn.adapters.kafka.config import consumer_config
from forewarn.adapters.kafka.records import records_of
from forewarn.contracts.assets import Command, InjectFault
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from forewarn.domain.simulation.profile import FaultCourse

#: An injected fault that has reached its full severity stays this long, then the machine is repaired.
_HOLD_S: Final = 900.0


class CommandFeed:
    """Commands of all assets, from the first retained one on.

    Whatever a command starts is timed from when it was issued, so that reading all of them again after a restart
    puts every machine where it was. No group, no commits.
    """

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        client = "forewarn.simulator.commands"
        self._consumer = Consumer(consumer_config(bootstrap_servers, group_id=client, client_id=client))
        topic = qualified(TopicName.COMMANDS, prefix)
        partitions = range(TOPICS[TopicName.COMMANDS].partitions)
        self._consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])

    def poll(self) -> list[Command]:
        """Commands that came since the last call.

        Raises
        ------
        KafkaException
            If the topic can never be read.
        """
        return commands_of(records_of(self._consumer.consume(500, timeout=0)))

    def close(self) -> None:
        """Release the connection."""
        self._consumer.close()


def course_of(command: Command, body: InjectFault) -> FaultCourse:
    """How an injected fault grows: once, then it is repaired."""
    return FaultCourse(
        fault=body.fault,
        onset_s=command.issued_at.timestamp(),
        duration_s=body.duration_s,
        hold_s=_HOLD_S,
        healthy_s=float("inf"),
        severity=body.severity,
    )
