"""Finds the message that ends the process, and sets it aside.

If a handler raises, its batch is halved until one message is left that raises alone. A message that ends the whole
process (out of memory, a hang that the watchdog ends, a crash inside a library) is found by notes. The first message
of each partition after a start is noted; a process that starts a second time at the same message handles the next ones
singly, with a note before and after each, and sets aside the one that was in hand twice when the process ended. Notes
are stored beside the states, in the same partition of the changelog, and are restored with them.

An outage of the broker is not the fault of a message: it ends the process and is not counted.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError  # type: ignore[import-untyped]  # it ships no types
from faust.exceptions import FaustError
from pydantic import TypeAdapter

from forewarn.ports.lanes import Record

#: Starts at the same message before messages are handled singly.
_CAREFUL_AFTER: Final = 1
#: How often a message may be in hand when the process ends.
_TRIES: Final = 2
#: Offsets from the start that are suspect: more than any process handles between two commits.
_CAREFUL_OFFSETS: Final = 500

#: No asset id can begin like this.
_KEY_PREFIX: Final = b"\0attempts/"

_log = structlog.get_logger(__name__)


#: Handles messages of one topic, oldest of each partition first.
Handler = Callable[[Sequence[Record]], Awaitable[None]]
#: Keeps a message that cannot be handled, with the reason.
SetAside = Callable[[Record, str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Attempts on one partition of one topic.

    Reading began at offset ``start`` for the ``starts``-th time in a row, and offsets before ``passed`` have been
    handled since. The message at ``passed`` was in hand ``tries`` times. Offsets in ``set_aside`` were given up.
    """

    start: int
    starts: int = 1
    passed: int = 0
    tries: int = 0
    set_aside: tuple[int, ...] = ()


_CODEC: Final = TypeAdapter(Note)
_Place = tuple[str, int]


class Attempts:
    """Keeps the notes of the partitions that a worker owns."""

    def __init__(self) -> None:
        self._restored: dict[bytes, Note] = {}
        self._notes: dict[_Place, Note] = {}

    @staticmethod
    def is_note(key: bytes) -> bool:
        """Return whether an entry of the changelog is a note."""
        return key.startswith(_KEY_PREFIX)

    def restart(self, entries: Mapping[bytes, bytes]) -> None:
        """Continue from stored notes, ignoring those that cannot be read."""
        self._notes.clear()
        self._restored = {}
        for key, value in entries.items():
            try:
                self._restored[key] = _CODEC.validate_json(value)
            except ValueError:
                _log.warning("attempts_unreadable", key=key)

    def begin(self, batch: Iterable[Record]) -> list[_Place]:
        """Note where reading begins; return the places with new notes, which must be stored first."""
        fresh = []
        for incoming in batch:
            place = _place(incoming)
            if place not in self._notes:
                self._notes[place] = _following(self._restored.get(_key(place)), incoming.offset)
                fresh.append(place)
        return fresh

    def is_suspect(self, incoming: Record) -> bool:
        """Return whether this may be the message that ended the process."""
        note = self._notes[_place(incoming)]
        return note.starts > _CAREFUL_AFTER and note.passed <= incoming.offset < note.start + _CAREFUL_OFFSETS

    def is_set_aside(self, incoming: Record) -> bool:
        """Return whether the message was given up before."""
        return incoming.offset in self._notes[_place(incoming)].set_aside

    def take_in_hand(self, incoming: Record) -> bool:
        """Note that a message is about to be handled singly; return False if it has ended the process too often."""
        note = self._notes[_place(incoming)]
        tries = note.tries if note.passed == incoming.offset else 0
        self._notes[_place(incoming)] = replace(note, passed=incoming.offset, tries=tries + 1)
        return tries < _TRIES

    def pass_on(self, incoming: Record, *, set_aside: bool = False) -> None:
        """Note that a message was handled or set aside."""
        note = self._notes[_place(incoming)]
        given_up = (*note.set_aside, incoming.offset) if set_aside else note.set_aside
        self._notes[_place(incoming)] = replace(note, passed=incoming.offset + 1, tries=0, set_aside=given_up)

    def calm(self) -> list[_Place]:
        """Clear attempts after an orderly release of partitions; return the places whose notes changed."""
        changed = [place for place, note in self._notes.items() if note.starts > 1 or note.tries]
        for place in changed:
            self._notes[place] = replace(self._notes[place], starts=0, tries=0)
        return changed

    def entry(self, place: _Place) -> tuple[bytes, bytes]:
        """Return the key and value of a note in the changelog."""
        return _key(place), _CODEC.dump_json(self._notes[place])


def _place(incoming: Record) -> _Place:
    return incoming.topic, incoming.partition


def _key(place: _Place) -> bytes:
    return _KEY_PREFIX + f"{place[0]}/{place[1]}".encode()


def _following(before: Note | None, offset: int) -> Note:
    if before is None or before.start != offset:
        return Note(start=offset)
    return replace(before, starts=before.starts + 1)


async def handle_apart(handler: Handler, batch: Sequence[Record], set_aside: SetAside) -> None:
    """Handle messages in order, setting aside those that raise alone.

    Raises
    ------
    Exception
        If the failure is not the fault of a message.
    """
    problem = await _problem_of(handler, batch)
    if problem is None:
        return
    if len(batch) > 1:  # some are handled twice: handlers skip what they have seen
        half = len(batch) // 2
        await handle_apart(handler, batch[:half], set_aside)
        await handle_apart(handler, batch[half:], set_aside)
        return
    (culprit,) = batch
    place = {"topic": culprit.topic, "partition": culprit.partition, "offset": culprit.offset}
    _log.error("message_failed", **place, exc_info=problem)
    await set_aside(culprit, f"handling it failed: {type(problem).__name__}: {problem}")


async def _problem_of(handler: Handler, batch: Sequence[Record]) -> Exception | None:
    """Return what a handler raised for the fault of a message; None if all were handled."""
    try:
        await handler(batch)
    except Exception as exc:
        if not is_fault_of_message(exc):
            raise
        return exc
    return None


def is_fault_of_message(exc: Exception) -> bool:
    """Return whether a handler failed because of a message, rather than an outage or lack of memory."""
    if isinstance(exc, MessageSizeTooLargeError):
        return True
    return not isinstance(exc, OSError | TimeoutError | MemoryError | KafkaError | FaustError)
