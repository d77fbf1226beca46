"""Refused readings of one message: the first few with their own explanation and bytes, the rest as one.

Each rejection repeats ids, explanation and cure, about 600 bytes: without a bound, a list of 10 kB that holds nothing
but ones would become 3 MB of rejections.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from forewarn.adapters.rejections import RefusedInput
from forewarn.contracts.limits import KIB, shortened
from forewarn.contracts.readings import RejectionReason

_LEAST, _MOST = 2, 100
_BYTES_FOR_EACH: Final = KIB // 4


def explained_one_by_one(message_bytes: int) -> int:
    """Return how many refused readings of a message of this size get a rejection of their own."""
    return min(_MOST, max(_LEAST, message_bytes // _BYTES_FOR_EACH))


@dataclass(slots=True)
class _Rest:
    """Refused readings of one message that have no rejection of their own."""

    first: RefusedInput
    readings: int = 0
    unread: RefusedInput | None = None

    def add(self, refusal: RefusedInput) -> None:
        if (refusal.index or 0) < (self.first.index or 0):
            self.first = refusal
        self.readings += refusal.readings
        if refusal.reason is RejectionReason.TOO_LARGE:
            self.unread = refusal

    def as_one(self) -> RefusedInput:
        if self.readings == 1 or self.first is self.unread:
            return self.first
        explanation = (
            f"{self.readings} more readings of the list, from index {self.first.index} on, were refused as well; "
            f"the first of them: {shortened(self.first.explanation, 200)}"
        )
        if self.unread is not None:
            explanation = f"{explanation} {self.unread.explanation}"
        return replace(
            self.first,
            original=self.first.record.value or b"",
            reason=RejectionReason.TOO_LARGE if self.unread is not None else self.first.reason,
            explanation=shortened(explanation),
            recommendation=(self.unread or self.first).recommendation,
            rule=None,
            readings=self.readings,
        )


def folded(refusals: Iterable[RefusedInput]) -> Iterator[RefusedInput]:
    """Yield what to publish for refused messages and readings; all those of a message must come at once.

    The result for a message depends on that message alone, however the stream is cut. The numbers of ``readings`` add
    up to those of ``refusals``.
    """
    own: Counter[tuple[int, int]] = Counter()
    rest: dict[tuple[int, int], _Rest] = {}
    for refusal in refusals:
        record = refusal.record
        place = record.partition, record.offset
        if refusal.index is None:
            yield refusal
        elif refusal.readings == 1 and own[place] < explained_one_by_one(len(record.value or b"")):
            own[place] += 1
            yield refusal
        else:
            rest.setdefault(place, _Rest(refusal)).add(refusal)
    for others in rest.values():
        yield others.as_one()
