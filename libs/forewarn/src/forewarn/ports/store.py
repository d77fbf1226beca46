"""Where the sink writes: rows and consumed offsets become visible together or not at all."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from forewarn.contracts.base import Contract
from forewarn.domain.frames.frame import Frame


class StoreUnavailable(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The database is away, or it is unknown whether the last write arrived: claim again and go on from there."""


class Fenced(Exception):  # noqa: N818  # a state of the world, not a mistake
    """Another sink has claimed one of the partitions since: nothing was written."""


class Unstorable(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The database refuses a value of the batch for good: nothing was written, trying again is of no use."""


class Doubtful(Exception):  # noqa: N818  # a state of the world, not a mistake
    """The write failed though the database is well: the batch may be the cause. Nothing was written."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """One partition of one topic, under its name on the broker."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to write what comes from ``source``: ends as soon as anybody else claims it.

    Attributes
    ----------
    next_offset
        First message that is not stored yet, None if none ever was.
    topic_id
        The broker's id of the topic that ``next_offset`` belongs to; None where it is not known.
    stalls
        Processes in a row that ended while they had the partition, and had stored nothing of it.
    attempts
        How often the next message was taken by itself by a process that ended over it.
    """

    source: Source
    epoch: int
    next_offset: int | None
    topic_id: str | None = None
    stalls: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Removed:
    """A tombstone of a compacted topic: the entry with this key is gone."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What one message says. ``content`` is None for a message that leaves no row."""

    source: Source
    offset: int
    content: Frame | Contract | Removed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write did, by table: rows that are new, and rows that were there before."""

    rows: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """Rows (or chunks of rows) dropped by table, and whether that was all there was to drop."""

    dropped: Counter[str]
    complete: bool


class Store(Protocol):
    """The database as the sink sees it; one thread.

    Every method blocks, a minute at most (the database's statement timeout), and raises ``StoreUnavailable`` while the
    database is away. After a rebalance partitions are claimed again before anything of them is written, and those that
    were lost are released; a claim that another sink has taken over since raises ``Fenced``.
    """

    def claim(self, sources: Sequence[Source]) -> Mapping[Source, Claim]:
        """Take these partitions over from their last owner; returns where to go on reading."""
        ...

    def release(self, claims: Collection[Claim]) -> None:
        """Give claims back: that nothing was stored under them says nothing about the messages."""
        ...

    def identify(self, topic_ids: Mapping[Claim, str]) -> None:
        """Store the topic id of claims; raises ``Fenced`` if one was lost since."""
        ...

    def rewind(self, claim: Claim, next_offset: int, topic_id: str | None) -> None:
        """Go on at ``next_offset`` of a topic that was created again; raises ``Fenced`` if the claim was lost since."""
        ...

    def attempt(self, claim: Claim) -> None:
        """Store that the next message is taken alone; raises ``Fenced`` if the claim was lost since."""
        ...

    def write(self, items: Sequence[Item], claims: Mapping[Source, Claim]) -> Written:
        """Store items, in order, and the offsets behind them, in one transaction.

        Raises
        ------
        Fenced, Unstorable, Doubtful
            Nothing was written.
        """
        ...

    def retain(self, now: datetime) -> Retained:
        """Drop some of what has outlived its retention; again soon unless ``complete``."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...
