"""Sends encoded readings at a rate and counts their outcomes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import structlog

from forewarn.adapters.kafka.producing import QueuedProducer
from forewarn.contracts.topics import TopicName, qualified
from forewarn.domain.time import US_PER_S
from forewarn.ports.clock import Clock
from forewarn_simulator.load.cycle import TAIL, Cycle
from forewarn_simulator.reading import iso_utc

_log = structlog.get_logger(__name__)

#: Readings sent at once: a time stamp is at most this many readings old.
_CHUNK: Final = 500
_PACE_S: Final = 0.002  # shortest pause worth a system call


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Outcomes of the readings of a phase."""

    sent: int
    delivered: int
    failed: int
    seconds: float

    @property
    def rate_per_s(self) -> float:
        """Return readings stored per second."""
        return self.delivered / self.seconds if self.seconds > 0 else 0.0


class LoadSender:
    """Sends rounds of readings, one of every asset."""

    def __init__(self, bootstrap_servers: str, prefix: str, cycle: Cycle, clock: Clock) -> None:
        # Only failures are reported one by one: what was flushed and did not fail is stored.
        self._producer = QueuedProducer(
            bootstrap_servers,
            qualified(TopicName.READINGS_RAW, prefix),
            client_id="forewarn.load",
            on_refused=self._note_refused,
            settings={"message.timeout.ms": 60_000, "linger.ms": 20},
        )
        self._cycle = cycle
        self._clock = clock
        self._seq = [0] * len(cycle.keys)
        self._failed = 0

    def past(self, rounds: int, *, step_us: int) -> Tally:
        """Send past rounds as fast as the broker takes them; the last one is a step before now."""
        start_us = self._now_us() - rounds * step_us
        begin = self._clock.monotonic_s()
        failed_before, sent = self._failed, 0
        for number in range(rounds):
            stamp = iso_utc(start_us + number * step_us).encode()
            for first, last in self._chunks():
                sent += self._hand_over(number, first, last, stamp)
        return self._settle(sent, failed_before, begin)

    def live(self, *, rate_per_s: float, duration_s: float, pause: Callable[[float], None]) -> Tally:
        """Send current readings at a rate for some time."""
        total = round(rate_per_s * duration_s)
        begin = self._clock.monotonic_s()
        failed_before, sent, number, last_us = self._failed, 0, 0, 0
        while sent < total:
            for first, last in self._chunks():
                last = min(last, first + total - sent)  # noqa: PLW2901  # the last chunk may be shorter
                ahead_s = sent / rate_per_s - (self._clock.monotonic_s() - begin)
                if ahead_s > _PACE_S:
                    pause(ahead_s)
                if first == 0:
                    number += 1
                now_us = last_us = max(self._now_us(), last_us + 1)
                sent += self._hand_over(number, first, last, iso_utc(now_us).encode())
                if sent >= total:
                    break
        return self._settle(sent, failed_before, begin)

    def _chunks(self) -> Iterator[tuple[int, int]]:
        assets = len(self._cycle.keys)
        for first in range(0, assets, _CHUNK):
            yield first, min(first + _CHUNK, assets)

    def _hand_over(self, number: int, first: int, last: int, stamp: bytes) -> int:
        cycle, seq = self._cycle, self._seq
        bodies = cycle.bodies[number % len(cycle.bodies)]
        messages: list[dict[str, Any]] = [
            {"key": cycle.keys[i], "value": b"%b%b%b%d%b" % (cycle.heads[i], stamp, bodies[i], seq[i], TAIL)}
            for i in range(first, last)
        ]
        for i in range(first, last):
            seq[i] += 1
        self._producer.send_all(messages)
        return len(messages)

    def _settle(self, sent: int, failed_before: int, begin: float) -> Tally:
        while self._producer.flush(1.0):
            _log.info("waiting_for_broker", readings=len(self._producer))
        seconds = self._clock.monotonic_s() - begin
        failed = self._failed - failed_before
        return Tally(sent=sent, delivered=sent - failed, failed=failed, seconds=seconds)

    def _now_us(self) -> int:
        return int(self._clock.now().timestamp() * US_PER_S)

    def _note_refused(self, _key: bytes | str | None, _reason: str) -> None:
        self._failed += 1
