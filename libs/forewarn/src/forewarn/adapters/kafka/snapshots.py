"""Snapshots of lanes as messages of a compacted topic, in parts of bounded size.

All parts of a snapshot are written in one transaction. The first has the partition's number as its key, the n-th
number/n, so that compaction keeps the newest snapshot only; tombstones remove the surplus parts of a larger one.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from forewarn.contracts.limits import MAX_SNAPSHOT_CHUNK_BYTES

_MAGIC: Final = b"FWS2"
_HEADER: Final = struct.Struct(">4sq24sIHH")  # magic, next offset, topic id, check sum, index and number of parts
_OLD_MAGIC: Final = b"FWS1"  # the whole state in one message, without the topic's id
_OLD_HEADER: Final = struct.Struct(">4sq")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSnapshot:
    """State of a lane after all source records before ``next_offset``.

    ``topic_id`` is the source topic's, empty if unknown; a recreated topic has a new one.
    """

    next_offset: int
    state: bytes
    topic_id: str = ""

    @property
    def parts(self) -> int:
        """Return the number of its messages."""
        return max(1, -(-len(self.state) // MAX_SNAPSHOT_CHUNK_BYTES))

    def messages(self, partition: int, parts_before: int = 0) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield keys and values to write in place of a snapshot of ``parts_before`` messages."""
        for index in range(self.parts, parts_before):
            yield _key(partition, index), None
        state, check = memoryview(self.state), zlib.crc32(self.state)
        topic_id = self.topic_id.encode("ascii", "replace")
        for index in range(self.parts):
            header = _HEADER.pack(_MAGIC, self.next_offset, topic_id, check, index, self.parts)
            start = index * MAX_SNAPSHOT_CHUNK_BYTES
            yield _key(partition, index), header + state[start : start + MAX_SNAPSHOT_CHUNK_BYTES]


class SnapshotAssembly:
    """Joins the newest complete snapshot from the messages of a partition, given in their order."""

    def __init__(self) -> None:
        self._set: tuple[object, ...] | None = None
        self._parts: dict[int, bytes] = {}
        self.newest: LaneSnapshot | None = None

    def take(self, value: bytes | None) -> None:
        """Take the next message; tombstones and other formats are skipped."""
        if value is None:
            return
        if value.startswith(_OLD_MAGIC) and len(value) >= _OLD_HEADER.size:
            _, next_offset = _OLD_HEADER.unpack_from(value)
            self._set, self._parts = None, {}
            self.newest = LaneSnapshot(next_offset=next_offset, state=value[_OLD_HEADER.size :])
        elif value.startswith(_MAGIC) and len(value) >= _HEADER.size:
            self._take_part(value)

    def _take_part(self, value: bytes) -> None:
        _, next_offset, raw_id, check, index, count = _HEADER.unpack_from(value)
        if self._set != (next_offset, raw_id, check, count):
            self._set, self._parts = (next_offset, raw_id, check, count), {}
        self._parts[index] = value[_HEADER.size :]
        if len(self._parts) == count:
            state = b"".join(self._parts[position] for position in sorted(self._parts))
            self._parts = {}
            if zlib.crc32(state) == check:
                topic_id = raw_id.rstrip(b"\0").decode("ascii", "replace")
                self.newest = LaneSnapshot(next_offset=next_offset, state=state, topic_id=topic_id)


def _key(partition: int, index: int) -> bytes:
    return f"{partition}/{index}".encode() if index else str(partition).encode()
