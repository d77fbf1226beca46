"""The twin stage: valid frames in, twin states and model cards out, on all partitions of a process."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from forewarn.adapters.baseline_orders import ORDER_KEY, ReceivedOrder, decode_order
from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.frames.codec import encode_by_partition
from forewarn.adapters.frames.turn import dead_letter, read_frames
from forewarn.adapters.removals import REMOVAL_KEY, pass_on, read_removal
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.frames.frame import Frame, Strings, concat
from forewarn.domain.frames.partitions import partition_key
from forewarn.domain.progress import ProgressCallback, no_progress
from forewarn.domain.state.partitioned import PartitionedStates
from forewarn.domain.time import to_microseconds
from forewarn.domain.twin.model import FittedModel
from forewarn.domain.twin.orders import learn_from, start_over
from forewarn.domain.twin.request import LearningRequest
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.snapshot import dump, load
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from forewarn.ports.codec import InvalidFrame
from forewarn.ports.lanes import Output, Record, StaleSnapshot, TurnResult
from forewarn_twin.announcing import announce, withdraw


class TwinLanes:
    """Implements ``forewarn.ports.lanes.Lanes`` with the twin."""

    def __init__(self, catalogue: Mapping[str, AssetClass], settings: TwinSettings) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._states: PartitionedStates[TwinState] = PartitionedStates()

    @decoder(StaleSnapshot)
    def open(self, partition: int, snapshot: bytes | None) -> None:
        """Open a lane, empty or from a snapshot."""
        self._states.add(partition, {} if snapshot is None else load(snapshot, self._catalogue))

    def process(self, records: Sequence[Record], on_progress: ProgressCallback = no_progress) -> TurnResult:
        """Learn from readings or judge them, and carry out orders; other records become dead letters."""
        counts: Counter[str] = Counter()
        outputs: list[Output] = []
        for readings, order in _between_orders(records):
            read = read_frames(readings, self._catalogue, FrameKind.VALID)
            counts["rejected"] += len(read.dead_letters)
            outputs += read.dead_letters
            for frame in read.frames:
                outputs += self._judge(frame, counts, on_progress)
            if order is not None and order.key == REMOVAL_KEY:
                outputs += self._forget(order, counts)
            elif order is not None:
                outputs += self._obey(order, counts)
        return TurnResult(outputs=tuple(outputs), counts=counts)

    def dump(self, partition: int) -> bytes:
        """Return a lane's models and unfinished baselines, serialised."""
        return dump(self._states.of(partition))

    def close(self, partition: int) -> None:
        """Drop a lane."""
        self._states.remove(partition)

    def _judge(self, frame: Frame, counts: Counter[str], on_progress: ProgressCallback) -> list[Output]:
        state = self._states.get(frame.asset_class.name) or TwinState.empty(frame.asset_class)
        counts["received"] += frame.rows
        return self._publish(*step(state, frame, self._settings, on_progress), counts)

    def _forget(self, record: Record, counts: Counter[str]) -> list[Output]:
        removal = read_removal(record)
        if removal is None:
            counts["rejected"] += 1
            return [dead_letter(record, "the message has the key of a removal but is not one")]
        name = partition_key(record.partition, removal.asset_id)
        state = self._states.get(removal.asset_class)
        void = [withdraw(name)] if state is not None and name in state.cards else []
        self._states.forget(name)
        return [*pass_on(removal, TopicName.TWIN_STATES, record.partition, self._catalogue), *void]

    def _obey(self, record: Record, counts: Counter[str]) -> list[Output]:
        try:
            received = decode_order(record.value or b"", self._catalogue)
        except InvalidFrame as exc:
            counts["rejected"] += 1
            return [dead_letter(record, str(exc))]
        state = self._states.get(received.asset_class.name)
        if state is None:
            return []
        name, request = partition_key(record.partition, received.order.asset_id), _request(received)
        if received.history is None:
            new, released = start_over(state, name, request)
            void = [withdraw(name)] if name in state.cards and name not in new.cards else []
            return [*self._publish(new, released, [], counts), *void]
        assets = Strings(np.zeros(received.history.rows, dtype=np.int32), (name,))
        history = replace(received.history, strings={**received.history.strings, "asset_id": assets})
        return self._publish(*learn_from(state, name, history, request, self._settings), counts)

    def _publish(
        self, state: TwinState, judged: Sequence[Frame], fitted: Sequence[FittedModel], counts: Counter[str]
    ) -> list[Output]:
        """Adopt a new state and return the messages that publish it."""
        self._states.put(state.asset_class.name, state)
        counts.update(judged=sum(f.rows for f in judged), fitted=len(fitted))
        outputs = [
            Output(topic=TopicName.TWIN_STATES, partition=partition, value=value)
            for partition, value in (encode_by_partition(concat(judged)) if judged else ())
        ]
        return outputs + [announce(card, state.models[card.asset_id], state.asset_class) for card in fitted]


def _between_orders(records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], Record | None]]:
    """Yield stretches of readings, each with the order that ends it."""
    start = 0
    for position, record in enumerate(records):
        if record.key in {ORDER_KEY, REMOVAL_KEY}:
            yield records[start:position], record
            start = position + 1
    yield records[start:], None


def _request(received: ReceivedOrder) -> LearningRequest:
    order = received.order
    return LearningRequest(
        by=order.requested_by,
        reason=order.reason,
        order_id=order.order_id,
        since_us=None if order.since is None else to_microseconds(order.since),
    )
