"""The note beside the committed offset of a lane, for the process that takes over.

Kafka stores a short text with every committed offset, in the same commit, so the note is as durable as the offset and
costs nothing.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

#: So many processes must have ended at a record before it is put aside.
MAX_FAILURES: Final = 3
#: Pieces into which a stretch is cut that contains a record which ended a process.
_PIECES: Final = 32
_MAX_QUARANTINED: Final = 200  # a note has to fit into 4 KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Work begun on some records; while it stands beside the offset, it is not finished.

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
    """The note: id of the source topic, and offsets of records never to be worked on again.

    ``unreported`` are those of them that are not in ``readings.rejected`` yet, for readers that report them later than
    they note them.
    """

    topic_id: str = ""
    quarantined: tuple[int, ...] = ()
    unreported: tuple[int, ...] = ()
    attempt: Attempt | None = None

    def encode(self) -> str:
        """Return the note as text, empty if there is nothing to note."""
        said = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(said, separators=(",", ":")) if said else ""

    @classmethod
    def decode(cls, text: str | None) -> Self:
        """Parse a note; text that we did not write counts as empty."""
        try:
            said = json.loads(text or "{}")
            attempt = said.get("attempt")
            return cls(
                topic_id=str(said.get("topic_id", "")),
                quarantined=tuple(map(int, said.get("quarantined", ()))),
                unreported=tuple(map(int, said.get("unreported", ()))),
                attempt=None if attempt is None else Attempt(**attempt),
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def with_quarantined(self, offset: int) -> Self:
        """Return the note with one more record put aside."""
        offsets = sorted({*self.quarantined, offset})[-_MAX_QUARANTINED:]
        return replace(self, quarantined=tuple(offsets), attempt=None)


def suspicion_after(records: int, until: int, failures: int) -> Suspicion:
    """Return how to go on after ``failures`` ends in so many records: in pieces, to find the culprit soon."""
    return Suspicion(failures=failures, piece=max(1, -(-records // _PIECES)), until=until)


def judged(note: LaneNote, process: str) -> tuple[LaneNote, Suspicion | None]:
    """Return a taken-over note without the attempt, with a record put aside or a suspicion."""
    attempt = note.attempt
    if attempt is None:
        return note, None
    counts = attempt.working and attempt.by != process  # rollbacks of one's own are not failures
    failures = attempt.failures + counts
    if attempt.records == 1 and failures >= MAX_FAILURES:
        return note.with_quarantined(attempt.until - 1), None
    cleared = replace(note, attempt=None)
    return cleared, suspicion_after(attempt.records, attempt.until, failures) if failures else None
