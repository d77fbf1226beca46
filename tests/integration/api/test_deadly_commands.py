"""Commands that end their reader, over a real broker."""

from datetime import UTC, datetime
from functools import partial

import pytest

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.command_group import CommandGroup
from forewarn.contracts.assets import Command, RetrainTwin
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName, qualified
from forewarn.ports.commands import UnreadableCommand
from support.stack import wait_until
from support.wire import Message, produce, read_topic

pytestmark = pytest.mark.integration

COMMANDS = 140
DEADLY = "c-117"  # behind the first hundred, which are taken at once


class Reader:
    """Runs command groups one after the other; each is lost with the process at the deadly command."""

    def __init__(self, bootstrap, prefix, **options):
        self._make = lambda: CommandGroup(bootstrap, prefix, service="reader", **options)
        self.done: list[str] = []
        self.put_aside: list[UnreadableCommand] = []

    def end_after_the_first_piece(self) -> None:
        """End before the command that was put aside comes up: it must still be reported by the next process."""
        group = self._make()
        assert len(wait_until(partial(group.take, 0.1), 20)) == 100
        group.done()
        group._consumer.close()

    def live(self, until) -> bool:
        """Work until a condition holds (True) or the process would have ended (False)."""
        group = self._make()
        while not until():
            commands = group.take(0.1)
            if any(isinstance(c, Command) and c.command_id == DEADLY for c in commands):
                group._consumer.close()  # as the end of a process: nothing is committed
                return False
            self.done += [c.command_id for c in commands if isinstance(c, Command)]
            self.put_aside += [c for c in commands if isinstance(c, UnreadableCommand)]
            group.done()
        group.close()
        return True


@pytest.mark.parametrize("from_start", [False, True])
def test_a_command_that_ends_its_reader_three_times_is_put_aside_and_the_others_are_done(
    kafka_broker, topic_prefix, from_start
):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    now = datetime.now(UTC)
    names = [f"c-{number}" for number in range(COMMANDS)]
    commands = [
        Command(command_id=name, asset_id="P-101", issued_at=now, issued_by="ada", body=RetrainTwin()) for name in names
    ]
    produce(
        bootstrap,
        qualified(TopicName.COMMANDS, topic_prefix),
        [Message(key=b"P-101", value=command.model_dump_json().encode()) for command in commands],
    )
    others = {name for name in names if name != DEADLY}
    reader = Reader(bootstrap, topic_prefix, from_start=from_start)
    ends = 0
    while not reader.live(lambda: reader.put_aside and set(reader.done) == others):
        ends += 1
        assert ends <= 3
        if from_start:
            reader.done.clear()
            if ends == 3:
                reader.end_after_the_first_piece()
    assert ends == 3
    (unreadable,) = reader.put_aside
    assert unreadable.command_id == DEADLY
    assert "put aside" in unreadable.problem
    if not from_start:
        assert len(reader.done) < COMMANDS + 4, "only what was in hand with it is done again"

    rejected = [
        decode_event(RejectedReading, record.value)
        for record in read_topic(bootstrap, TopicName.READINGS_REJECTED, topic_prefix)
    ]
    assert [event.reason for event in rejected] == [RejectionReason.QUARANTINED]
    assert rejected[0].original == commands[117].model_dump_json().encode()

    again = Reader(bootstrap, topic_prefix, from_start=from_start)
    produce(
        bootstrap,
        qualified(TopicName.COMMANDS, topic_prefix),
        [Message(key=b"P-101", value=commands[0].model_copy(update={"command_id": "last"}).model_dump_json().encode())],
    )
    assert again.live(lambda: "last" in again.done), "what was put aside stays so"
    assert again.done == ([*(n for n in names if n != DEADLY), "last"] if from_start else ["last"])
    assert again.put_aside == []
    wait_until(lambda: len(read_topic(bootstrap, TopicName.READINGS_REJECTED, topic_prefix)) == 1, 5)


def test_commands_in_hand_at_an_orderly_end_come_again_and_count_no_attempt(kafka_broker, topic_prefix):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    command = Command(
        command_id="slow", asset_id="P-101", issued_at=datetime.now(UTC), issued_by="ada", body=RetrainTwin()
    )
    produce(
        bootstrap,
        qualified(TopicName.COMMANDS, topic_prefix),
        [Message(key=b"P-101", value=command.model_dump_json().encode())],
    )
    for _ in range(4):
        group = CommandGroup(bootstrap, topic_prefix, service="reader")
        assert wait_until(partial(group.take, 0.1), 20) == [command]
        group.close()
    assert read_topic(bootstrap, TopicName.READINGS_REJECTED, topic_prefix) == []
