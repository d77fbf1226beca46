"""Backpressure: whoever produces waits while the queue is full, and nothing is lost or reordered."""

from forewarn.adapters.kafka.producing import produce


class FullAtFirst:
    """A producer whose queue has room only after some polls."""

    def __init__(self, polls):
        self.polls = polls
        self.sent = []

    def produce(self, topic, **message):
        if self.polls > 0:
            raise BufferError
        self.sent.append((topic, message["key"], message["value"], message["partition"]))

    def poll(self, _timeout_s):
        self.polls -= 1


def test_a_message_waits_for_room():
    producer = FullAtFirst(3)
    assert produce(producer, "t", b"v", key=b"k")
    assert produce(producer, "t", b"w", key=None, partition=0)
    assert producer.sent == [("t", b"k", b"v", -1), ("t", None, b"w", 0)]


def test_who_gives_up_waiting_has_queued_nothing():
    producer = FullAtFirst(3)
    assert not produce(producer, "t", b"v", key=b"k", on_full=lambda: producer.polls > 1)
    assert producer.sent == []
