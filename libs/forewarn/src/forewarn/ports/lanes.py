"""One partition's worth of processing: what the frame loop drives and the services implement.

A *lane* is the state and logic of one partition. The loop feeds it records in order and publishes
what it returns; outputs, state snapshot and consumed offsets become visible together or not at all.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from forewarn.contracts.topics import TopicName


class Record(NamedTuple):
    """One consumed message. ``received_us`` is the broker's time stamp in µs since 1970 UTC.

    A tuple, because one is made for every raw reading and tuples are made three times as fast.
    """

    topic: str
    partition: int
    offset: int
    received_us: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One message to publish. Without ``partition`` the key chooses it."""

    topic: TopicName
    value: bytes
    key: bytes | None = None
    partition: int | None = None
    headers: tuple[tuple[str, str | bytes | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneResult:
    """What a lane made of a batch; ``counts`` are readings by fate (accepted, warning, rejected, …)."""

    outputs: tuple[Output, ...]
    counts: Counter[str] = field(default_factory=Counter)


class Lane(Protocol):
    """State and logic of one partition.

    ``process`` must depend on nothing but the records and the state: after a crash the state is
    rebuilt by processing the same records again, in other batches, with the outputs thrown away.
    """

    def process(self, records: Sequence[Record]) -> LaneResult:
        """Take records in order; dead-letters what it cannot use, raises only on programming errors."""
        ...

    def dump(self) -> bytes:
        """Serialise the state."""
        ...


class LaneFactory(Protocol):
    """Makes the lane of a partition, empty or from a snapshot."""

    def __call__(self, partition: int, snapshot: bytes | None) -> Lane:
        """Build the lane; raises ``StaleSnapshot`` for a snapshot of another format."""
        ...


class StaleSnapshot(Exception):  # noqa: N818  # a state of the world, not a mistake
    """A snapshot of another version of the software: the state is rebuilt from the source topic."""
