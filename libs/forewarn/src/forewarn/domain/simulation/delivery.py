"""Delivery of readings: a gateway's wrong clock, late readings, readings sent twice.

Fates are drawn by the reading's time stamp (``chance``), so any cutting of a stream gives the same fates.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.simulation.chance import uniform
from forewarn.domain.time import US_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDelivery:
    """How a gateway delivers."""

    clock_skew_s: float = 0.0  #: The gateway's clock minus the true time.
    #: Share of the readings that arrive late, 0–1, and the largest delay.
    late_share: float = 0.0
    late_by_s: float = 0.0
    duplicate_share: float = 0.0  #: Share of the readings that are sent twice, 0–1.

    def __post_init__(self) -> None:
        shares_fit = 0.0 <= self.late_share <= 1.0 and 0.0 <= self.duplicate_share <= 1.0
        if not shares_fit or self.late_by_s < 0.0 or (self.late_share > 0.0 and self.late_by_s == 0.0):
            raise ValueError(f"shares must lie within 0 and 1, and late readings need a late_by_s above 0: {self}")

    @property
    def is_perfect(self) -> bool:
        """Return whether everything arrives once, at once and with the right time."""
        return self == PERFECT


PERFECT: Final = GatewayDelivery()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DeliveredReadings:
    """Messages in the order in which they arrive."""

    rows: NDArray[np.intp]  #: Index of the reading of each message.
    stamped_us: NDArray[np.int64]  #: Its time stamp [µs since 1970 UTC].
    arrived_us: NDArray[np.int64]  #: When it arrives, in true time.


def deliver(ts_us: NDArray[np.int64], delivery: GatewayDelivery, *, seed: int) -> DeliveredReadings:
    """Send readings, at true times ``ts_us`` [µs since 1970 UTC], through a gateway."""
    rows = np.arange(ts_us.shape[0], dtype=np.intp)
    if delivery.is_perfect:
        return DeliveredReadings(rows=rows, stamped_us=ts_us, arrived_us=ts_us)
    is_late = uniform(seed, "delivery/late", ts_us) < delivery.late_share
    delay_us = delivery.late_by_s * US_PER_S * uniform(seed, "delivery/delay", ts_us)
    arrived_us = ts_us + np.where(is_late, delay_us, 0.0).astype(np.int64)
    twice = np.flatnonzero(uniform(seed, "delivery/twice", ts_us) < delivery.duplicate_share)
    rows, arrived_us = np.concatenate([rows, twice]), np.concatenate([arrived_us, arrived_us[twice]])
    order = np.lexsort((rows, arrived_us))
    rows = rows[order]
    stamped_us = ts_us[rows] + round(delivery.clock_skew_s * US_PER_S)
    return DeliveredReadings(rows=rows, stamped_us=stamped_us, arrived_us=arrived_us[order])
