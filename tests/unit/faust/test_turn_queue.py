"""The inbox keeps order, gathers what comes within its linger time, and is bounded."""

import asyncio
from types import SimpleNamespace

import pytest

from forewarn.adapters.faust.turn_queue import TurnQueue


def event(number, size=10):
    return SimpleNamespace(number=number, message=SimpleNamespace(value=b"x" * size))


def test_what_waits_is_taken_at_once_and_in_order():
    async def scenario():
        inbox = TurnQueue()
        for number in range(3):
            await inbox.put(event(number))
        return await inbox.take(0)

    assert [found.number for found in asyncio.run(scenario())] == [0, 1, 2]


def test_a_turn_waits_for_company():
    async def scenario():
        inbox = TurnQueue()
        taking = asyncio.create_task(inbox.take(0.05))
        await inbox.put(event(0))
        await asyncio.sleep(0)
        await inbox.put(event(1))
        return await taking

    assert [found.number for found in asyncio.run(scenario())] == [0, 1]


def test_a_full_inbox_holds_its_writers_back_and_does_not_linger():
    async def scenario():
        inbox = TurnQueue(full_bytes=100)
        await inbox.put(event(0, size=100))
        held_back = asyncio.create_task(inbox.put(event(1)))
        await asyncio.sleep(0)
        assert not held_back.done()
        first = await asyncio.wait_for(inbox.take(3600), 5)
        await asyncio.wait_for(held_back, 5)
        return first, await inbox.take(0)

    first, second = asyncio.run(scenario())
    assert ([e.number for e in first], [e.number for e in second]) == ([0], [1])


def test_cleared_while_it_gathers_it_gives_nothing_old():
    async def scenario():
        inbox = TurnQueue()
        taking = asyncio.create_task(inbox.take(0.05))
        await inbox.put(event(0))
        await asyncio.sleep(0)
        inbox.clear()
        return await taking

    assert asyncio.run(scenario()) == []


@pytest.mark.parametrize("value", [None, b""])
def test_a_message_without_content_has_no_size(value):
    async def scenario():
        inbox = TurnQueue(full_bytes=1)
        await inbox.put(SimpleNamespace(message=SimpleNamespace(value=value)))
        return await inbox.take(0)

    assert len(asyncio.run(scenario())) == 1
