"""The frame loop's interface to the services: the work on all partitions of a process.

A *lane* is the state of one partition. The loop feeds records in order and publishes the results; outputs, state
snapshots and consumed offsets become visible together or not at all.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from forewarn.contracts.topics import TopicName
from forewarn.domain.progress import ProgressCallback, no_progress
from forewarn.ports.codec import Unreadable


class Record(NamedTuple):
    """One consumed message. ``received_us`` is the broker's time stamp in µs since 1970 UTC.

    A tuple, because there is one per raw reading and tuples are made three times as fast.
    """

    topic: str
    partition: int
    offset: int
    received_us: int
    key: bytes | None
    value: bytes | None

    @property
    def size_bytes(self) -> int:
        """Return the bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One message to publish. Without ``partition`` the key chooses it; without a value it removes the key's entry."""

    topic: TopicName
    value: bytes | None
    key: bytes | None = None
    partition: int | None = None
    headers: tuple[tuple[str, str | bytes | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    """Result of some records; ``counts`` are readings by fate (accepted, warning, rejected, …)."""

    outputs: tuple[Output, ...]
    counts: Counter[str] = field(default_factory=Counter)


class Lanes(Protocol):
    """State and logic of all partitions of a process.

    ``process`` takes records of any open lanes together, but the result for one lane must depend only on its records
    and state: after a crash a lane is rebuilt by processing its records again, in other batches, without those of other
    lanes, and with the outputs discarded.

    All methods run in the loop's thread and may block: the loop polls no messages meanwhile, and its watchdog ends a
    process without progress for a minute. A rebalance happens between two calls of ``process``: ``dump`` and ``close``
    are called for revoked partitions, ``open`` and ``process`` (to replay) for assigned ones.
    """

    def open(self, partition: int, snapshot: bytes | None) -> None:
        """Begin a lane, empty or from a snapshot; raises ``StaleSnapshot`` for an unreadable one."""
        ...

    def process(self, records: Sequence[Record], on_progress: ProgressCallback = no_progress) -> TurnResult:
        """Process records, those of a lane in order; dead-letters unusable ones, raises only on programming errors.

        It is fastest when the records of a lane are adjacent. Long work calls ``on_progress`` now and then.
        """
        ...

    def dump(self, partition: int) -> bytes:
        """Return the state of a lane as bytes; called before a commit, and before a lane moves to another process."""
        ...

    def close(self, partition: int) -> None:
        """Forget a lane; called after a rebalance revoked it, and before it is rebuilt."""
        ...


class StaleSnapshot(Unreadable):
    """A snapshot of another software version, or a damaged one: the state is rebuilt from the source topic."""
