"""What a frame processor leaves beside the committed offset of a lane, for the process that comes after it.

Kafka keeps a short text with every committed offset and commits both together, so the note is as durable as the
offset and costs nothing.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

#: Processes that must have ended at a record before it is put aside.
MAX_FAILURES: Final = 3
#: Into how many pieces a stretch of records is cut in which one of them ended a process.
_PIECES: Final = 32
_MAX_QUARANTINED: Final = 200  # a note has to fit into 4 KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Work on some records that was begun; as long as it stands beside the offset, it has not come to an end.

    Attributes
    ----------
    by
        The process.
    failures
        How many processes ended in the stretch that these records belong to.
    records, until
        Number of records, those of other lanes included, and the offset after the last one of this lane.
    working
        False once the work is done and only the commit is due: an end then is the broker's doing, not the records'.
    """

    by: str
    failures: int
    records: int
    until: int
    working: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Records before ``until`` are worked on ``piece`` at a time: one among them may end the process."""

    failures: int
    piece: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneNote:
    """The note itself: id of the source topic, and offsets of records that are never to be worked on again."""

    topic_id: str = ""
    quarantined: tuple[int, ...] = ()
    attempt: Attempt | None = None

    def encode(self) -> str:
        """As text; empty if there is nothing to say."""
        said = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(said, separators=(",", ":")) if said else ""

    @classmethod
    def decode(cls, text: str | None) -> Self:
        """Read a text; one that we did not write counts as empty."""
        try:
            said = json.loads(text or "{}")
            attempt = said.get("attempt")
            return cls(
                topic_id=str(said.get("topic_id", "")),
                quarantined=tuple(map(int, said.get("quarantined", ()))),
                attempt=None if attempt is None else Attempt(**attempt),
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def with_quarantined(self, offset: int) -> Self:
        """With one more record put aside."""
        offsets = sorted({*self.quarantined, offset})[-_MAX_QUARANTINED:]
        return replace(self, quarantined=tuple(offsets), attempt=None)


def suspicion_after(records: int, until: int, failures: int) -> Suspicion:
    """Return how to go on after ``failures`` ends in so many records: in pieces, so that few ends find the one."""
    return Suspicion(failures=failures, piece=max(1, -(-records // _PIECES)), until=until)


def judged(note: LaneNote, process: str) -> tuple[LaneNote, Suspicion | None]:
    """Return what a process makes of the note on a lane it takes over: records to put aside or be careful with."""
    attempt = note.attempt
    if attempt is None:
        return note, None
    counts = attempt.working and attempt.by != process  # its own rollbacks are no failures
    failures = attempt.failures + counts
    if attempt.records == 1 and failures >= MAX_FAILURES:
        return note.with_quarantined(attempt.until - 1), None
    cleared = replace(note, attempt=None)
    return cleared, suspicion_after(attempt.records, attempt.until, failures) if failures else None
