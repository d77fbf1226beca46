"""Cost of downtime and energy of one asset."""

from dataclasses import dataclass
from typing import Final

from forewarn.contracts.asset_class import AssetClass, Repair
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import is_usable_size

MIN_PER_H: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Rates in ``currency``."""

    currency: str
    downtime_cost_per_min: float
    energy_price_per_kwh: float
    monitoring_cost_per_year: float

    def downtime_cost(self, hours: float) -> float:
        """Return the cost of downtime."""
        return hours * MIN_PER_H * self.downtime_cost_per_min

    def failure_cost(self, repair: Repair) -> float:
        """Return the cost of a failure: downtime, parts, work and consequences."""
        return repair.unplanned_cost + self.downtime_cost(repair.unplanned_downtime_h)

    def repair_cost(self, repair: Repair) -> float:
        """Return the cost of the same repair done in time."""
        return repair.planned_cost + self.downtime_cost(repair.planned_downtime_h)


def rates_of(asset_class: AssetClass, asset: Asset) -> Rates:
    """Return the class's rates, overridden by those of the asset.

    A rate too small or too large to compute with counts as unset: old registry entries may have one.
    """
    of_class, own = asset_class.economics, asset.economics
    found = {} if own is None else own.model_dump(exclude_none=True)
    stated = {name: rate for name, rate in found.items() if is_usable_size(rate)}
    return Rates(
        currency=of_class.currency,
        downtime_cost_per_min=stated.get("downtime_cost_per_min", of_class.downtime_cost_per_min),
        energy_price_per_kwh=stated.get("energy_price_per_kwh", of_class.energy_price_per_kwh),
        monitoring_cost_per_year=stated.get("monitoring_cost_per_year", of_class.monitoring_cost_per_year),
    )
