"""Finding the message that cannot be handled: at once when it raises, by notes when it ends the process."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from forewarn.adapters.faust.quarantine import Attempts, handle_apart
from forewarn.ports.lanes import Record

AT_US = 1_795_000_000_000_000


def message(offset, topic="t", partition=0):
    return Record(topic, partition, offset, received_us=AT_US, key=None, value=b"")


class Service:
    """Handles messages in order; raises at some, and dies at others."""

    def __init__(self, raises=(), error=ValueError):
        self.raises, self.error = set(raises), error
        self.handled, self.aside = [], []

    async def handle(self, batch):
        for incoming in batch:
            if incoming.offset in self.raises:
                raise self.error("boom")
            if incoming.offset not in self.handled:  # as handlers must: what was seen changes nothing
                self.handled.append(incoming.offset)

    async def set_aside(self, incoming, why):
        self.aside.append((incoming.offset, why))


@pytest.mark.parametrize("raises", [{0}, {7}, {15}, {3, 4, 11}, set(range(16))])
def test_exactly_those_that_raise_are_set_aside_and_the_others_pass_in_order(raises):
    service = Service(raises)
    asyncio.run(handle_apart(service.handle, [message(n) for n in range(16)], service.set_aside))
    assert service.handled == [n for n in range(16) if n not in raises]
    assert [offset for offset, _ in service.aside] == sorted(raises)
    assert all("ValueError: boom" in why for _, why in service.aside)


@pytest.mark.parametrize("error", [KafkaConnectionError, ConnectionError, TimeoutError, MemoryError])
def test_an_outage_is_no_fault_of_the_message(error):
    service = Service({1}, error)
    with pytest.raises(error):
        asyncio.run(handle_apart(service.handle, [message(0), message(1)], service.set_aside))
    assert not service.aside


def test_what_makes_an_event_too_large_is_the_fault_of_the_message():
    service = Service({1}, MessageSizeTooLargeError)
    asyncio.run(handle_apart(service.handle, [message(0), message(1)], service.set_aside))
    assert [offset for offset, _ in service.aside] == [1]


class Life:
    """Processes that handle the same messages one after the other, with what is stored in between."""

    def __init__(self, offsets, *, deadly=(), places=(("t", 0),)):
        self.messages = [message(offset, *place) for offset in offsets for place in places]
        self.deadly = set(deadly)
        self.stored = {}
        self.aside = []
        self.deaths = 0

    def run(self):
        """One process; False if it died."""
        attempts = Attempts()
        attempts.restart(self.stored)
        self._store(attempts, attempts.begin(self.messages))
        for incoming in self.messages:
            place = (incoming.topic, incoming.partition)
            if attempts.is_set_aside(incoming):
                continue
            if attempts.is_suspect(incoming):
                if not attempts.take_in_hand(incoming):
                    self.aside.append((place, incoming.offset))
                    attempts.pass_on(incoming, set_aside=True)
                    self._store(attempts, [place])
                    continue
                self._store(attempts, [place])
            if (place, incoming.offset) in self.deadly:
                self.deaths += 1
                return False
            if attempts.is_suspect(incoming):
                attempts.pass_on(incoming)
                self._store(attempts, [place])
        return True

    def _store(self, attempts, places):
        self.stored |= dict(attempts.entry(place) for place in places)


PLACES = (("t", 0), ("t", 1), ("u", 0))


@pytest.mark.parametrize("deadly", [set(), {(("t", 1), 3)}, {(("t", 0), 0), (("t", 1), 5), (("u", 0), 9)}])
def test_what_ends_the_process_is_set_aside_and_nothing_else_is(deadly):
    life = Life(range(0, 20, 1), deadly=deadly, places=PLACES)
    for _ in range(12):
        if life.run():
            break
    else:
        raise AssertionError("it never got through")
    assert set(life.aside) == deadly
    assert life.deaths <= 1 + 2 * len(deadly)


def test_a_process_that_is_stopped_for_other_reasons_sets_nothing_aside():
    for _ in range(20):
        life = Life(range(5))
        assert life.run()
        assert not life.aside


def test_partitions_given_back_in_order_are_no_attempt():
    stored = {}
    for _ in range(10):
        attempts = Attempts()
        attempts.restart(stored)
        stored |= dict(attempts.entry(place) for place in attempts.begin([message(7)]))
        if attempts.is_suspect(message(7)):
            assert attempts.take_in_hand(message(7))
        stored |= dict(attempts.entry(place) for place in attempts.calm())
    assert not attempts.is_suspect(message(7))


def test_a_note_that_cannot_be_read_counts_for_nothing():
    attempts = Attempts()
    attempts.restart({b"\0attempts/t/0": b"junk"})
    assert attempts.begin([message(1)]) == [("t", 0)]
    assert not attempts.is_suspect(message(1))
