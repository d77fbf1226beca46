"""Faust's Kafka transport, made fit for topics that are written in transactions, as frames are.

These things are wrong with the original (all measured on 0.15.3):

- It reads uncommitted messages unless it runs in exactly-once mode, which is not trustworthy
  (ADR 0010), so an aborted transaction would be taken for data.
- It commits offsets without holes only, and a transaction ends with a marker that is never
  delivered: it then gets on by one transaction in a commit interval, whatever was handled. The lag
  grows without end and a restart reads all of it again.
- It fetches before it has sought to the committed offsets, and starts there where there are none:
  what was prefetched by then is lost.
- A fetch that crosses a rebalance is delivered after it, as if it had been fetched from the
  positions sought since; what lies between is lost.
- When it resumes after a rebalance it empties the agents' queues, which by then may hold what was
  fetched from the right positions.
- Its detector of slow streams crashes the worker when a partition has no position yet.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol, cast

from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT

from forewarn.adapters.faust.continuity import chain

_SEEK_POLL_S: Final = 0.02

#: The broker answers a fetch when it has this much, or after the app's ``gather_s``: few large answers
#: cost broker and worker a fraction of many small ones.
_FETCH_MIN_BYTES: Final = 1024 * 1024


class _Gathering(Protocol):
    """An application that says how long messages may be held back."""

    gather_s: float


class _Thread(driver.AIOKafkaConsumerThread):
    """Reads committed messages only, and notes of each which one it was fetched after."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Faust's own signature
        super().__init__(*args, **kwargs)
        self._fetched: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:  # noqa: ANN401  # aiokafka has no types
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001  # read at its start; Faust has no setting for it
        consumer._fetch_min_bytes = _FETCH_MIN_BYTES  # noqa: SLF001  # as above
        consumer._fetch_max_wait_ms = int(cast("_Gathering", self.app).gather_s * 1000)  # noqa: SLF001  # as above
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
        """Detect nothing: the lag is measured, and a handler that hangs fails the liveness probe."""

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> RecordMap:  # noqa: ANN401  # Faust's own signature
        records = await super()._fetch_records(*args, **kwargs)
        for tp, found in records.items():
            for record in found:
                record.follows = self._fetched.get(tp)
                self._fetched[tp] = record.offset
        return records


class _Consumer(driver.Consumer):
    """Fetches from sought positions only, and commits past the last acknowledged message.

    The latter is right because ``EventEngine`` acknowledges strictly in offset order.
    """

    _sought = False  #: Positions are the committed ones.
    _open = False  #: They are, and Faust has resumed since: what is fetched now will be handled.
    _epoch = 0  #: Counts rebalances and seeks: what a fetch brings across one is from before it.

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self._rebalance()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._rebalance()
        await super().on_partitions_assigned(assigned, generation_id)

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

    def _rebalance(self) -> None:
        self._sought = self._open = False
        self._epoch += 1

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
        """Keep no book of holes: nothing reads it now, and it would grow with every transaction."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class ReadCommittedTransport(driver.Transport):
    """The aiokafka transport, reading and committing as transactional topics need it."""

    Consumer: ClassVar[type[ConsumerT]] = _Consumer
