"""Raw readings of the load generator's pumps without a broker, for parts that are measured by themselves."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.assets import Asset
from forewarn.ports.lanes import Record
from forewarn_simulator.load.cycle import TAIL, Cycle, encode_cycle
from forewarn_simulator.reading import iso_utc

_START_US = 1_790_000_000_000_000
_BASELINE_STEP_US = 1_000_000
_LIVE_STEP_US = 8_000  # 500 machines at 60,000/s: 120 readings/s of each


CLASS = "centrifugal_pump"
_MARGIN = 20


@lru_cache(maxsize=1)
def baseline_rows() -> int:
    """Readings after which a pump's twin has learned, and a few more."""
    return load_catalogue()[CLASS].twin.baseline_readings + _MARGIN


class Fleet:
    """Pumps that first have a past, then send thick and fast.

    Time goes on from one call to the next, so that no reading is late or a duplicate.
    """

    def __init__(self, assets: int, start_us: int = _START_US) -> None:
        ids = [f"LOAD-{number:05d}" for number in range(assets)]
        self.assets = {name: Asset(asset_id=name, asset_class=CLASS, name=name) for name in ids}
        self._cycle: Cycle = encode_cycle(ids, tags=10, samples=240, rng=np.random.default_rng(1))
        self._round = 0
        self._now_us = start_us

    def baseline(self) -> list[Record]:
        """Readings one second apart that every twin learns from."""
        return list(self._records(baseline_rows(), _BASELINE_STEP_US))

    def live(self, readings: int) -> list[Record]:
        """At least so many readings, whole rounds of all machines."""
        rounds = -(-readings // len(self.assets))
        return list(self._records(rounds, _LIVE_STEP_US))[:readings]

    def _records(self, rounds: int, step_us: int) -> Iterator[Record]:
        cycle = self._cycle
        for _ in range(rounds):
            self._round += 1
            self._now_us += step_us
            stamp = iso_utc(self._now_us).encode()
            bodies = cycle.bodies[self._round % len(cycle.bodies)]
            for place, key in enumerate(cycle.keys):
                value = b"%b%b%b%d%b" % (cycle.heads[place], stamp, bodies[place], self._round, TAIL)
                now_us, number = self._now_us, self._round
                yield Record(topic="readings.raw", partition=0, offset=number, received_us=now_us, key=key, value=value)
