"""``adapters/faust/internals.py`` against the installed faust-streaming: what it overrides, and each fault it corrects.

After an upgrade, a digest that differs names a method to read again. A test of a fault that fails for ``STOCK`` alone
says that Faust has mended it: then the override goes.
"""

import asyncio
import hashlib
import importlib
import inspect
import pkgutil
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.tables.recovery import Recovery
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

import forewarn.adapters.faust as package
from forewarn.adapters.faust import internals
from forewarn.adapters.faust.app import EventAppConfig, create_app

STOCK, OURS = driver.Transport, internals.Transport
PLACE = TP("scores", 0)

#: Source of what is overridden, and of what the overrides rely on, in faust-streaming 0.15.3.
DIGESTS = {
    "App._create_directories": "a9f571c3b04a",
    "Consumer.on_partitions_revoked": "d04b7ae72c6f",
    "Consumer.on_partitions_assigned": "29ce96596f05",
    "Consumer.perform_seek": "0e8c130ff4b0",
    "Consumer.resume_flow": "db59630f25b5",
    "ThreadDelegateConsumer._getmany": "f9d47aa9010b",
    "Consumer._to_message": "7c24f6511b2f",
    "Consumer._new_offset": "1d2c7ea89a7a",
    "Consumer._add_gap": "4df2573ded7c",
    "Consumer._new_consumer_thread": "0870ec53dea7",
    "AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f",
    "AIOKafkaConsumerThread.seek_to_committed": "775ab0adc4b0",
    "AIOKafkaConsumerThread.verify_event_path": "b983e7735f64",
    "AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1",
    "Consumer.getmany": "4b168d84882a",
    "Consumer._wait_next_records": "6218e1969a63",
    "Consumer._drain_messages": "44a2500309e8",
    "Consumer.ack": "5fcf41cf4515",
    "Consumer._should_commit": "5ce941793947",
    "Recovery._resume_streams": "d986a6710c1a",
    "Recovery._restart_recovery": "6bd8a8558a2d",
}


def overridden(ours):
    """Each method of a class that one of Faust's classes defines too, with Faust's function."""
    for name, value in vars(ours).items():
        if callable(value) and not name.startswith("__"):
            for base in ours.__mro__[1:]:
                if name in vars(base):
                    yield base, name
                    break


def relied_on():
    for ours in (internals.App, internals._Consumer, internals._ConsumerThread):
        yield from overridden(ours)
    for name in ("getmany", "_wait_next_records", "_drain_messages", "ack", "_should_commit"):
        yield faust_consumer.Consumer, name
    for name in ("_resume_streams", "_restart_recovery"):
        yield Recovery, name


def digests():
    return {
        f"{base.__name__}.{name}": hashlib.sha256(_source(vars(base)[name]).encode()).hexdigest()[:12]
        for base, name in relied_on()
    }


def _source(method):
    return inspect.getsource(getattr(method, "fun", method))  # a service's task wraps its function


def test_the_methods_are_those_that_were_read():
    assert digests() == DIGESTS


def test_no_other_module_overrides_private_methods_of_faust():
    found = []
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        classes = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        found += [
            f"{module.name}: {ours.__name__}.{name}"
            for _, ours in classes
            if ours.__module__ == module.name != internals.__name__
            for base, name in overridden(ours)
            if name.startswith("_") and base.__module__.startswith(("faust", "mode", "aiokafka"))
        ]
    assert found == []


async def _ignore(*_args):
    pass


def on_loop(scenario):
    """Run a scenario with an application; clients are made but never connect."""

    async def run():
        config = EventAppConfig(service="t", bootstrap_servers="localhost:1", prefix="", instance="", gather_s=0.2)
        app = create_app(config)
        app.threads = []
        try:
            return await asyncio.wait_for(scenario(app), 10)
        finally:
            for thread in app.threads:
                thread.thread_loop.close()

    return asyncio.run(run())


def consumer_of(transport, app):
    made = app.transport if transport is OURS else STOCK(app.transport.url, app)
    consumer = made.create_consumer(callback=_ignore, on_partitions_revoked=_ignore, on_partitions_assigned=_ignore)
    app.threads.append(consumer._thread)
    return consumer


@pytest.mark.parametrize(
    ("transport", "expected"), [(STOCK, ("read_uncommitted", 1, 1500)), (OURS, ("read_committed", 2**20, 200))]
)
def test_reads_committed_messages_in_large_fetches(transport, expected):
    async def scenario(app):
        consumer = consumer_of(transport, app)
        client = consumer._thread._create_consumer(loop=asyncio.get_running_loop())
        await client.stop()
        return client._isolation_level, client._fetch_min_bytes, client._fetch_max_wait_ms

    assert on_loop(scenario) == expected


@pytest.mark.parametrize(("transport", "commits"), [(STOCK, [104, 107, 108]), (OURS, [108])])
def test_commits_past_the_markers_of_transactions(transport, commits):
    """Three transactions of two messages and a marker each, all acknowledged."""
    offsets = (100, 101, 103, 104, 106, 107)

    async def scenario(app):
        consumer = consumer_of(transport, app)
        consumer._committed_offset[PLACE] = 100
        for before, offset in zip((99, *offsets), offsets, strict=False):
            if offset - before > 1:
                await consumer._add_gap(PLACE, before + 1, offset)
            consumer._acked[PLACE].append(offset)
            consumer._acked_index[PLACE].add(offset)
        found = []
        for _ in range(5):
            found += consumer._filter_committable_offsets([PLACE]).values()
            consumer._committed_offset[PLACE] = found[-1]
        return list(dict.fromkeys(found)), len(consumer._gap)

    committed, gaps = on_loop(scenario)
    assert committed == commits
    assert transport is STOCK or gaps == 0


@pytest.mark.parametrize(("transport", "sought"), [(STOCK, set()), (OURS, {PLACE})])
def test_begins_at_the_beginning_where_nothing_is_committed(transport, sought):
    async def scenario(app):
        thread = consumer_of(transport, app)._thread
        found = set()

        async def call(method, *arguments):
            if method == "seek_to_committed":
                return {PLACE: None, TP("scores", 1): 7}
            found.update(arguments)
            return None

        thread._consumer = SimpleNamespace(seek_to_committed="seek_to_committed", seek_to_beginning="seek_to_beginning")
        thread.call_thread = call
        await thread.seek_to_committed()
        return found

    assert on_loop(scenario) == sought


class Fetching:
    """A consumer whose thread is a script: what it fetches, and what happens meanwhile."""

    def __init__(self, transport, app):
        self.consumer = consumer_of(transport, app)
        self.consumer._thread = self
        self.seeks = 0
        self.meanwhile = _ignore

    async def seek_to_committed(self):
        self.seeks += 1
        return {PLACE: 5}

    async def getmany(self, active, _timeout):
        await self.meanwhile()
        return {place: [SimpleNamespace(offset=5)] for place in active}

    async def fetch(self):
        return list(await self.consumer._getmany({PLACE}, 0.1))

    async def take_over(self):
        await self.consumer.on_partitions_assigned({PLACE}, 1)

    async def start(self):
        await self.take_over()
        await self.consumer.perform_seek()
        self.consumer.resume_flow()


@pytest.mark.parametrize(("transport", "fetched"), [(STOCK, [PLACE]), (OURS, [])])
@pytest.mark.parametrize("sought", [False, True])
def test_fetches_nothing_before_it_has_sought_and_resumed(transport, fetched, sought):
    async def scenario(app):
        fetching = Fetching(transport, app)
        await fetching.take_over()
        if sought:
            await fetching.consumer.perform_seek()
        before = await fetching.fetch()
        await fetching.start()
        return before, await fetching.fetch()

    assert on_loop(scenario) == (fetched, [PLACE])


@pytest.mark.parametrize(("transport", "fetched"), [(STOCK, [PLACE]), (OURS, [])])
@pytest.mark.parametrize("meanwhile", ["revoked", "assigned", "taken over"])
def test_a_fetch_that_crosses_a_rebalance_is_void(transport, fetched, meanwhile):
    async def scenario(app):
        fetching = Fetching(transport, app)
        await fetching.start()
        events = {
            "revoked": lambda: fetching.consumer.on_partitions_revoked({PLACE}),
            "assigned": fetching.take_over,
            "taken over": fetching.start,
        }
        fetching.meanwhile = events[meanwhile]
        crossing = await fetching.fetch()
        fetching.meanwhile = _ignore
        if meanwhile != "taken over":
            await fetching.start()
        return crossing, await fetching.fetch(), fetching.seeks

    crossing, after, seeks = on_loop(scenario)
    assert (crossing, after) == (fetched, [PLACE])
    # once the new positions are sought, what the void fetch has skipped must be sought again
    assert seeks == (3 if transport is OURS and meanwhile == "taken over" else 2)


def test_the_flow_that_resumes_empties_queues():
    async def scenario(app):
        queue = app.channel().queue
        queue.put_nowait("message")
        app.flow_control.suspend()
        app.flow_control.resume()
        return queue.empty()

    assert on_loop(scenario)


@pytest.mark.parametrize(("transport", "crashes"), [(STOCK, True), (OURS, False)])
def test_a_partition_without_position_crashes_no_worker(transport, crashes):
    async def scenario(app):
        thread = consumer_of(transport, app)._thread
        subscriptions = SubscriptionState()
        subscriptions.assign_from_user([TopicPartition(*PLACE)])
        subscriptions.subscription.assignment.state_value(TopicPartition(*PLACE)).timestamp = 1e6
        thread._consumer = SimpleNamespace(_fetcher=SimpleNamespace(_subscriptions=subscriptions))
        thread.time_started = 0.0
        thread.verify_event_path(1000.0, PLACE)

    if crashes:
        with pytest.raises(AssertionError):
            on_loop(scenario)
    else:
        on_loop(scenario)


def test_each_message_names_the_one_fetched_before_it(monkeypatch):
    fetches = iter([[5, 7], [9]])

    async def fetch(_self, *_args, **_kwargs):
        return {PLACE: [SimpleNamespace(offset=offset) for offset in next(fetches)]}

    async def sought(_self):
        return {PLACE: 9}

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "seek_to_committed", sought)

    async def scenario(app):
        thread = consumer_of(OURS, app)._thread
        first = await thread._fetch_records()
        await thread.seek_to_committed()
        return [record.follows for record in (*first[PLACE], *(await thread._fetch_records())[PLACE])]

    assert on_loop(scenario) == [None, 5, None]


def test_nothing_is_kept_on_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def scenario(app):
        app._create_directories()

    on_loop(scenario)
    assert list(tmp_path.iterdir()) == []
