"""What a group has committed: an error of one partition never counts as "no offset"."""

from dataclasses import dataclass

import pytest
from confluent_kafka import KafkaError, KafkaException

from forewarn.adapters.kafka.membership import GroupMember, Membership, Position
from forewarn.ports.store import Source

A, B = Source("readings.valid", 0), Source("readings.valid", 1)


@dataclass
class Answer:
    """A partition in an answer of the client library."""

    partition: int
    offset: int
    error: KafkaError | None = None
    topic: str = A.topic
    metadata: str | None = None


class Answers:
    """A consumer that gives these answers one after another, the last one again and again."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def committed(self, _places, timeout):
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture
def member():
    membership = Membership(
        bootstrap_servers="127.0.0.1:1", group="g", client_id="c", is_static=False, topics=[A.topic]
    )
    ignore = {"on_assign": print, "on_revoke": print, "on_lost": print}
    member = GroupMember(membership, settings={"log_level": 0}, **ignore)
    yield member
    member.close()


def committed(member, monkeypatch, *answers, patience_s=5.0):
    waits = []
    with monkeypatch.context() as patch:
        patch.setattr(member, "_consumer", Answers(*answers))
        found = member.committed([A, B], patience_s=patience_s, on_wait=lambda: waits.append(1))
    return found, len(waits)


def test_a_partition_that_the_coordinator_cannot_answer_for_yet_is_asked_for_again(member, monkeypatch):
    error = KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT)
    found, waits = committed(
        member,
        monkeypatch,
        [Answer(0, 7), Answer(1, -1001, error)],
        [Answer(0, 7, metadata="note"), Answer(1, -1001)],
    )
    assert found == [Position(source=A, next_offset=7, note="note"), Position(source=B, next_offset=None)]
    assert waits == 1


@pytest.mark.parametrize("code", [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART])
def test_an_error_of_one_partition_that_does_not_pass_is_raised(member, monkeypatch, code):
    with pytest.raises(KafkaException):
        committed(member, monkeypatch, [Answer(0, 7), Answer(1, -1001, KafkaError(code))])


def test_patience_ends(member, monkeypatch):
    answer = [Answer(0, 7), Answer(1, -1001, KafkaError(KafkaError.NOT_COORDINATOR))]
    with pytest.raises(KafkaException):
        committed(member, monkeypatch, answer, patience_s=0.3)
