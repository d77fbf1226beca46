"""What the frame loop drives and the services implement: the work on all partitions a process owns.

A *lane* is the state of one partition. The loop feeds records in order and publishes what comes back;
outputs, state snapshots and consumed offsets become visible together or not at all.
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

    A tuple, because one is made for every raw reading and tuples are made three times as fast.
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
    """What became of some records; ``counts`` are readings by fate (accepted, warning, rejected, …)."""

    outputs: tuple[Output, ...]
    counts: Counter[str] = field(default_factory=Counter)


class Lanes(Protocol):
    """State and logic of all partitions of a process.

    ``process`` takes records of any open lanes together, but what comes of the records of one lane must
    depend on nothing but them and that lane's state: after a crash a lane is rebuilt by processing its
    records again, in other batches, without those of other lanes, and with the outputs thrown away.

    All methods run in the loop's thread and may block: the loop polls no messages meanwhile, and its watchdog ends a
    process that is silent for a minute. A rebalance happens between two calls of ``process``: ``dump`` and ``close``
    are called for partitions that go, ``open`` and ``process`` (to replay) for those that come.
    """

    def open(self, partition: int, snapshot: bytes | None) -> None:
        """Begin a lane, empty or from a snapshot; raises ``StaleSnapshot`` for one that cannot be read."""
        ...

    def process(self, records: Sequence[Record], on_progress: ProgressCallback = no_progress) -> TurnResult:
        """Take records, those of a lane in order; dead-letters what it cannot use, raises only on programming errors.

        It is fastest when the records of a lane stand together. What takes long calls ``on_progress`` now and then.
        """
        ...

    def dump(self, partition: int) -> bytes:
        """Return the state of a lane as bytes; called before a commit, and before a lane goes to another process."""
        ...

    def close(self, partition: int) -> None:
        """Forget a lane; called after a rebalance took it away, and before it is rebuilt."""
        ...


class StaleSnapshot(Unreadable):
    """A snapshot of another version of the software, or a damaged one: the state is rebuilt from the source topic."""
