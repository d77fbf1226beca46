"""What Faust 0.15.3 does wrong and its public interface cannot change (ADR 0010).

Only this module overrides private methods. ``tests/unit/faust/test_internals.py`` pins every method named here and
shows each fault, so that an upgrade of faust-streaming says what to look at again.

- Faust reads uncommitted messages unless it runs in exactly-once mode, and has no settings for the size of a fetch.
- It commits offsets without holes only. A transaction ends with a marker that is never delivered, so commits advance
  by one transaction an interval, the lag grows without end, and a restart reads all of it again.
- It fetches before it has sought the committed offsets, and stays where it is if there are none: what was prefetched
  by then is lost.
- A fetch that crosses a rebalance is delivered after it, as if it had started at the positions sought since.
- The flow that resumes after a rebalance empties the agents' queues, which may hold messages from the right positions.
- The detector of slow streams crashes the worker while a partition has no position.
- With all state in memory it still creates directories.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

import faust
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT
from yarl import URL

from forewarn.adapters.faust.continuity import chain

_SEEK_POLL_S: Final = 0.02

#: The broker answers a fetch when it has this much, or after ``gather_s``: few large answers cost broker and worker
#: a fraction of many small ones.
_FETCH_MIN_BYTES: Final = 1024 * 1024


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """Reads committed messages only, and notes with each message which offset was fetched before it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Faust's signature
        super().__init__(*args, **kwargs)
        self._fetched: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:  # noqa: ANN401  # aiokafka has no types
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001  # read when it starts
        consumer._fetch_min_bytes = _FETCH_MIN_BYTES  # noqa: SLF001  # as above
        consumer._fetch_max_wait_ms = int(cast("Transport", transport).gather_s * 1000)  # noqa: SLF001  # as above
        return consumer

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        changelogs = self.app.tables.changelog_topics
        fresh = [tp for tp, offset in committed.items() if not offset and tp.topic not in changelogs]
        if fresh:
            await self.seek_to_beginning(*fresh)
        self._fetched.clear()
        return committed

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: lag is a metric, and a handler that hangs fails the liveness probe."""

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> RecordMap:  # noqa: ANN401  # Faust's signature
        records = await super()._fetch_records(*args, **kwargs)
        for tp, found in records.items():
            for record in found:
                record.follows = self._fetched.get(tp)
                self._fetched[tp] = record.offset
        return records


class _Consumer(driver.Consumer):
    """Fetches source topics between seek and rebalance only, and commits past the last acknowledged message.

    The latter is right because ``EventEngine`` acknowledges in the order of offsets.
    """

    _sought = False  #: Positions are the committed ones.
    _open = False  #: They are, and the flow has resumed since: what is fetched now will be handled.
    _epoch = 0  #: Counts rebalances and seeks; a fetch that crosses one is void.

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self._rebalance()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._rebalance()
        await super().on_partitions_assigned(assigned, generation_id)

    def _rebalance(self) -> None:
        self._sought = self._open = False
        self._epoch += 1

    async def perform_seek(self) -> None:
        epoch = self._epoch
        await super().perform_seek()
        # while the flow is stopped Faust only tidies up; the seek that counts comes later
        if epoch == self._epoch and self.flow_active:
            self._sought = True
            self._epoch += 1

    def resume_flow(self) -> None:
        super().resume_flow()
        self._open = self._sought

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109  # Faust's
        epoch = self._epoch
        if active_partitions is not None and not self._open:
            active_partitions = {tp for tp in active_partitions if self._is_changelog_tp(tp)}
            if not active_partitions:
                await asyncio.sleep(_SEEK_POLL_S)
                return {}
        records = await super()._getmany(active_partitions, timeout)
        if epoch == self._epoch or all(self._is_changelog_tp(tp) for tp in records):
            return records
        if self._sought:  # the seek is over: go back for what is dropped here
            await self.perform_seek()
        return {tp: found for tp, found in records.items() if self._is_changelog_tp(tp)}

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:  # noqa: ANN401  # aiokafka has no types
        return chain(super()._to_message(tp, record), record.follows)

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked[tp]
        if not acked:
            return None
        offset = max(acked) + 1
        acked.clear()
        self._acked_index[tp].clear()
        return offset

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Keep no record of holes: ``_new_offset`` needs none, and it would grow with every transaction."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """The aiokafka transport with the consumer above; ``gather_s`` is how long the broker may hold messages back."""

    Consumer: ClassVar[type[ConsumerT]] = _Consumer

    def __init__(self, url: list[URL], app: faust.App, *, gather_s: float) -> None:
        super().__init__(url, app)
        self.gather_s = gather_s


class App(faust.App):
    """An application that keeps nothing on disk."""

    def _create_directories(self) -> None:
        pass
