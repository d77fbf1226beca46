"""The sink's database: rows and consumed offsets become visible together or not at all."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from forewarn.contracts.base import Contract
from forewarn.domain.frames.frame import Frame


class StoreUnavailable(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The database is away, or the fate of the last write is unknown: claim again and continue from there."""


class Fenced(Exception):  # noqa: N818  # a state of the world, not a mistake
    """Another sink has since claimed one of the partitions: nothing was written."""


class Unstorable(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The database refuses a value of the batch for good: nothing was written, a retry is useless."""


class Doubtful(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The write failed although the database works: the batch may be the cause. Nothing was written."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """One partition of one topic, by its name on the broker."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionClaim:
    """The right to write from ``source``: ends when another process claims it.

    ``next_offset`` is the first message not stored yet, None if none ever was; it belongs to the topic with the
    broker's id ``topic_id``, None if unknown. ``stalls`` counts processes in a row that ended while holding the
    partition without storing anything of it, ``attempts`` those that ended over the next message alone.
    """

    source: Source
    epoch: int
    next_offset: int | None
    topic_id: str | None = None
    stalls: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A tombstone of a compacted topic: the entry with this key is gone."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Content of one message; ``content`` is None for a message without a row."""

    source: Source
    offset: int
    content: Frame | Contract | Tombstone | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Result of a write by table: new rows, and rows that existed before."""

    rows: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """Rows (or chunks of rows) dropped by table, and whether nothing is left to drop."""

    dropped: Counter[str]
    complete: bool


class Store(Protocol):
    """The sink's database; one thread.

    Every method blocks, at most a minute (the database's statement timeout), and raises ``StoreUnavailable`` while the
    database is away. After a rebalance partitions are claimed again before writing, and lost ones are released; a claim
    that another sink has since taken over raises ``Fenced``.
    """

    def claim(self, sources: Sequence[Source]) -> Mapping[Source, PartitionClaim]:
        """Take these partitions over from their last owner; return where to continue reading."""
        ...

    def release(self, claims: Collection[PartitionClaim]) -> None:
        """Release claims, so that nothing stored under them does not count against the messages."""
        ...

    def identify(self, topic_ids: Mapping[PartitionClaim, str]) -> None:
        """Store the topic id of claims; raises ``Fenced`` if one has been lost."""
        ...

    def rewind(self, claim: PartitionClaim, next_offset: int, topic_id: str | None) -> None:
        """Continue at ``next_offset`` of a recreated topic; raises ``Fenced`` if the claim has been lost."""
        ...

    def attempt(self, claim: PartitionClaim) -> None:
        """Store that the next message is processed alone; raises ``Fenced`` if the claim has been lost."""
        ...

    def write(self, items: Sequence[Item], claims: Mapping[Source, PartitionClaim]) -> Written:
        """Store items, in order, and the offsets behind them, in one transaction.

        Raises Fenced, Unstorable or Doubtful if nothing was written.
        """
        ...

    def retain(self, now: datetime) -> Retained:
        """Drop some rows past their retention; call again soon unless ``complete``."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...
