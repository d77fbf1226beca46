"""Gathers the records of one turn: as many as come in time, but no more bytes than a turn may hold."""

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Final

from forewarn.adapters.kafka.membership import GroupMember
from forewarn.contracts.limits import MAX_TURN_BYTES
from forewarn.ports.clock import Clock
from forewarn.ports.lanes import Record
from forewarn.runtime.pace import Pace

_POLL_S: Final = 0.1
#: The client library hands over all that comes in the time it is given, however large: it is given little at a time.
_SLICE_S: Final = 0.01

_KEY, _VALUE = itemgetter(4), itemgetter(5)  # of a record


def size_of(records: Sequence[Record]) -> int:
    """Bytes of keys and values."""
    return sum(map(len, filter(None, map(_VALUE, records)))) + sum(map(len, filter(None, map(_KEY, records))))


def fitting(records: Sequence[Record], most_bytes: int = MAX_TURN_BYTES) -> int:
    """Return how many of the first records hold no more than so many bytes together; one at least."""
    total = 0
    for count, record in enumerate(records):
        total += record.size_bytes
        if total > most_bytes and count:
            return count
    return len(records)


class Gatherer:
    """Takes records from the member of a group, turn by turn; what is too much for one turn opens the next."""

    def __init__(self, member: GroupMember, pace: Pace, clock: Clock, *, most_records: int) -> None:
        self._member = member
        self._pace = pace
        self._clock = clock
        self._most_records = most_records
        self._held: list[Record] = []
        self._bytes = 0

    def next_turn(self) -> list[Record]:
        """Wait for a first record, then for more until the linger time is over and the turn is due."""
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
        """Forget what is held of partitions that are gone; should one come back, it is read from what is committed."""
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
