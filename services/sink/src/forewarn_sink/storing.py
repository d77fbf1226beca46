"""Stores batches; what the database refuses is found and set aside, and the rest is stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.ports.lanes import Record
from forewarn.ports.store import Doubtful, Item, Source, Store, StoreUnavailable, Unstorable, Written
from forewarn_sink.decoding import ItemDecoder
from forewarn_sink.lanes import ClaimedLane, ClaimedLanes
from forewarn_sink.metrics import SinkMetrics

_log = structlog.get_logger(__name__)

#: Processes that a message taken by itself may kill; the next one sets it aside undecoded.
_MOST_ATTEMPTS: Final = 2
#: Writes of one message that may fail for no clear reason while the database is healthy.
_MOST_DOUBTS: Final = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message, decoded; ``refused``: the item is its rejection."""

    record: Record
    item: Item
    refused: bool = False


class Storing:
    """Writes deliveries under the claims of ``lanes``; calls ``on_written`` after every transaction."""

    def __init__(
        self,
        lanes: ClaimedLanes,
        store: Store,
        decoder: ItemDecoder,
        metrics: SinkMetrics,
        on_written: Callable[[Sequence[Item], Written], None],
    ) -> None:
        self._lanes = lanes
        self._store = store
        self._decoder = decoder
        self._metrics = metrics
        self._on_written = on_written

    def write(self, batch: Sequence[Delivery]) -> None:
        """Store a batch, in order, in one transaction or in several if some of it is refused.

        Raises ``StoreUnavailable`` or ``Fenced``; then nothing of the current transaction was stored.
        """
        if not batch:
            return
        items = [delivery.item for delivery in batch]
        try:
            with self._metrics.transaction_seconds.time():
                written = self._store.write(items, self._lanes.claims)
        except (Unstorable, Doubtful) as exc:
            self._narrow(batch, exc)
            return
        self._lanes.settle({item.source for item in items})
        for item in items:
            if isinstance(item.content, RejectedReading) and item.content.topic == item.source.topic:
                self._metrics.refused.labels(reason=item.content.reason.value).inc()
        self._on_written(items, written)

    def alone(self, lane: ClaimedLane, record: Record) -> Delivery:
        """Record the attempt, then decode a message that may kill the process."""
        lane.cautious -= 1
        attempts, lane.attempts = lane.attempts, 0
        if attempts >= _MOST_ATTEMPTS:
            return self._refused(
                record, RejectionReason.QUARANTINED, f"{attempts} processes ended when they took it by itself"
            )
        self._store.attempt(lane.claim)
        return Delivery(record, self._decoder.decode(record))

    def _narrow(self, batch: Sequence[Delivery], problem: Unstorable | Doubtful) -> None:
        """Find what cannot be stored of a batch by bisection and set it aside; store the rest."""
        if len(batch) > 1:
            middle = len(batch) // 2
            self.write(batch[:middle])
            self.write(batch[middle:])
            return
        record = batch[0].record
        if batch[0].refused:  # only plain text and the original bytes: the database accepts nothing
            raise StoreUnavailable(f"not even a refusal can be stored: {problem}") from problem
        if isinstance(problem, Doubtful):
            doubts = self._lanes.doubt(Source(record.topic, record.partition), record.offset)
            if doubts < _MOST_DOUBTS:
                raise StoreUnavailable(f"attempt {doubts} of {_MOST_DOUBTS}: {problem}") from problem
        self.write(
            [self._refused(record, RejectionReason.BAD_STRUCTURE, f"the database refuses it: {problem}")],
        )

    def _refused(self, record: Record, reason: RejectionReason, explanation: str) -> Delivery:
        _log.warning(
            "refused", topic=record.topic, partition=record.partition, offset=record.offset, reason=explanation
        )
        return Delivery(record, self._decoder.refuse(record, reason, explanation), refused=True)
