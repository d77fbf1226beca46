"""Collects the records of a turn: those that arrive in time, up to a limit of bytes."""

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Final

from forewarn.adapters.kafka.membership import GroupMember
from forewarn.contracts.limits import MAX_TURN_BYTES
from forewarn.ports.clock import Clock
from forewarn.ports.lanes import Record
from forewarn.runtime.pace import Pace

_POLL_S: Final = 0.1
#: The client library returns everything that arrives within its timeout, however large, so the timeouts are short.
_SLICE_S: Final = 0.01

_KEY, _VALUE = itemgetter(4), itemgetter(5)  # of a record


def size_of(records: Sequence[Record]) -> int:
    """Return the bytes of keys and values."""
    return sum(map(len, filter(None, map(_VALUE, records)))) + sum(map(len, filter(None, map(_KEY, records))))


def fitting(records: Sequence[Record], most_bytes: int = MAX_TURN_BYTES) -> int:
    """Return how many records, from the first on, fit into so many bytes; at least one."""
    total = 0
    for count, record in enumerate(records):
        total += record.size_bytes
        if total > most_bytes and count:
            return count
    return len(records)


class Gatherer:
    """Takes records from a group member, turn by turn; what does not fit into a turn opens the next."""

    def __init__(self, member: GroupMember, pace: Pace, clock: Clock, *, most_records: int) -> None:
        self._member = member
        self._pace = pace
        self._clock = clock
        self._most_records = most_records
        self._held: list[Record] = []
        self._bytes = 0

    def next_turn(self) -> list[Record]:
        """Wait for a first record, then for more until the linger time is over."""
        if not self._held and not self._take(1, _POLL_S):
            return []
        until_s = self._clock.monotonic_s() + self._pace.wait_s(self._clock.monotonic_s())
        while self._bytes < MAX_TURN_BYTES and len(self._held) < self._most_records:
            left_s = until_s - self._clock.monotonic_s()
            self._take(self._most_records - len(self._held), min(_SLICE_S, max(0.0, left_s)))
            if left_s <= 0:
                break
        turn = self._cut()
        if turn:
            self._pace.note(len(turn), self._clock.monotonic_s())
        return turn

    def drop(self, partitions: Collection[int]) -> None:
        """Drop records of revoked partitions; a partition that comes back is read from its committed offset."""
        self._hold(record for record in self._held if record.partition not in partitions)

    def _take(self, most: int, timeout_s: float) -> int:
        records = self._member.consume(most, timeout_s)
        self._held += records
        self._bytes += size_of(records)
        return len(records)

    def _cut(self) -> list[Record]:
        count = len(self._held) if self._bytes <= MAX_TURN_BYTES else fitting(self._held)
        turn = self._held[:count]
        self._hold(self._held[count:])
        return turn

    def _hold(self, records: Iterable[Record]) -> None:
        self._held = list(records)
        self._bytes = size_of(self._held)
