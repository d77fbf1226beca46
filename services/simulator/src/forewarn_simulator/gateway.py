"""An unreliable gateway between a machine and the broker."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from forewarn.domain.simulation.delivery import GatewayDelivery, deliver
from forewarn.domain.time import US_PER_S
from forewarn_simulator.reading import ReadingSource, SourceReading


class BadGateway:
    """Delays, repeats and restamps the readings of another source; implements ``reading.ReadingSource``."""

    def __init__(self, source: ReadingSource, delivery: GatewayDelivery, *, seed: int) -> None:
        self._source = source
        self._delivery = delivery
        self._seed = seed
        self._held: list[tuple[int, int, SourceReading]] = []  # arrival, order of sending, reading
        self._taken = 0

    @property
    def machine(self) -> ReadingSource:
        """Source behind the gateway."""
        return self._source

    @property
    def next_due_s(self) -> float:
        """When the next reading leaves, delayed or fresh."""
        held_s = self._held[0][0] / US_PER_S if self._held else np.inf
        return float(min(self._source.next_due_s, held_s))

    def history(self, now_s: float) -> Iterator[SourceReading]:
        """Return the source's history as the gateway delivered it."""
        for reading in self._source.history(now_s):
            self._take(reading)
            yield from self._released(reading.ts_us)
        yield from self._released(round(now_s * US_PER_S))

    def due(self, now_s: float) -> Iterable[SourceReading]:
        """Return readings whose arrival is due."""
        for reading in self._source.due(now_s):
            self._take(reading)
        return self._released(round(now_s * US_PER_S))

    def _take(self, reading: SourceReading) -> None:
        arrivals = deliver(np.array([reading.ts_us], dtype=np.int64), self._delivery, seed=self._seed)
        for stamped_us, arrived_us in zip(arrivals.stamped_us.tolist(), arrivals.arrived_us.tolist(), strict=True):
            heapq.heappush(self._held, (arrived_us, self._taken, replace(reading, ts_us=stamped_us)))
            self._taken += 1

    def _released(self, now_us: int) -> Iterator[SourceReading]:
        while self._held and self._held[0][0] <= now_us:
            yield heapq.heappop(self._held)[2]
