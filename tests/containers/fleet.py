"""Pumps whose readings a test sends itself, numbered, so that it knows how many must arrive."""

from datetime import UTC, datetime, timedelta

import numpy as np

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.base import format_utc
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.machine import Surroundings

BASELINE_READINGS = load_catalogue()["centrifugal_pump"].twin.baseline_readings
_PUMP = KINDS["centrifugal_pump"]


class Fleet:
    """Simulated pumps ``prefix-0`` … that are read once a second of event time."""

    def __init__(self, prefix, count, *, start, seed=7):
        self.asset_ids = [f"{prefix}-{n}" for n in range(count)]
        self.sent = 0
        self._design = _PUMP.design()
        self._state = _PUMP.start
        self._rng = np.random.default_rng(seed)
        self._at = start
        self._step = 0

    def assets(self):
        """Registry entries."""
        return [
            {"asset_id": asset_id, "asset_class": "centrifugal_pump", "name": f"Test pump {asset_id}"}
            for asset_id in self.asset_ids
        ]

    def step(self, **forced):
        """One reading of every pump, a second later than the last; ``forced`` tags get this value."""
        ones = np.ones(len(self.asset_ids))
        demand = 0.75 + 0.2 * np.sin(2 * np.pi * self._step / 120)
        surroundings = Surroundings(demand=demand * ones, ambient_temp_c=22.0 * ones, relative_humidity_pct=58.0 * ones)
        self._state, values = _PUMP.step(
            self._design, self._state, dt_s=1.0, surroundings=surroundings, faults={}, rng=self._rng
        )
        self._step += 1
        self._at += timedelta(seconds=1)
        readings = [
            {
                "asset_id": asset_id,
                "ts": format_utc(self._at),
                "metrics": {tag: float(column[n]) for tag, column in values.items()} | forced,
                "seq": self._step,
                "source": "container-test",
            }
            for n, asset_id in enumerate(self.asset_ids)
        ]
        self.sent += len(readings)
        return readings


def minutes_ago(minutes):
    return datetime.now(UTC) - timedelta(minutes=minutes)
