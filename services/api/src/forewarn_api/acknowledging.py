"""Acknowledgements that were sent and that the alerting service has not decided on yet."""

from dataclasses import dataclass
from typing import Final

from forewarn.ports.clock import Clock

#: An acknowledgement without an effect after this time may be given again: the alerting service is probably away.
UNDECIDED_FOR_S: Final = 30.0


#: Ids of an alarm and of its occurrence.
Occurrence = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Claim:
    by: str
    until_s: float


class Claims:
    """Who was first to acknowledge an occurrence of an alarm, until the alarm itself says so.

    It holds for the requests of one process; the alerting service decides between those of several.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._claims: dict[Occurrence, _Claim] = {}

    def first(self, occurrence: Occurrence) -> str | None:
        """Who has acknowledged an occurrence before; None if it is not acknowledged."""
        now_s = self._clock.monotonic_s()
        for name in [name for name, claim in self._claims.items() if claim.until_s < now_s]:
            del self._claims[name]
        claim = self._claims.get(occurrence)
        return None if claim is None else claim.by

    def claim(self, occurrence: Occurrence, by: str) -> None:
        """Note who is first."""
        self._claims[occurrence] = _Claim(by, self._clock.monotonic_s() + UNDECIDED_FOR_S)

    def withdraw(self, occurrence: Occurrence) -> None:
        """Forget a claim whose command could not be sent."""
        self._claims.pop(occurrence, None)
