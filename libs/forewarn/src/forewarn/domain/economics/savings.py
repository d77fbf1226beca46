"""Savings so far: failures that were near and were avoided, minus the cost of repairs and monitoring."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.economics import AvertedFailure, Savings
from forewarn.contracts.health import AssetHealth
from forewarn.domain.economics.rates import Rates

#: A failure was near once its probability within 30 days exceeded one half.
NEAR_PROBABILITY: Final = 0.5

#: The machine is good again from this health.
GOOD_HEALTH: Final = 70.0

_DAYS_PER_YEAR: Final = 365.0


@dataclass(slots=True)
class _Episode:
    """A failure mode under way: how likely it became, and whether it came."""

    probability: float = 0.0
    failed: bool = False


def savings(asset_class: AssetClass, course: Sequence[AssetHealth], rates: Rates, *, period_days: float) -> Savings:
    """Compute the savings over a history of health, oldest first."""
    averted = tuple(_averted(asset_class, course, rates))
    avoided = sum(item.avoided_cost for item in averted)
    repairs = sum(item.repair_cost for item in averted)
    monitoring = rates.monitoring_cost_per_year * period_days / _DAYS_PER_YEAR
    spent = repairs + monitoring
    return Savings(
        averted=averted,
        avoided_cost=avoided,
        repair_cost=repairs,
        monitoring_cost=monitoring,
        net=avoided - spent,
        return_on_investment=(avoided - spent) / spent if spent > 0.0 else None,
    )


def _averted(asset_class: AssetClass, course: Sequence[AssetHealth], rates: Rates) -> Iterator[AvertedFailure]:
    modes = {mode.id: mode for mode in asset_class.failure_modes}
    under_way: dict[str, _Episode] = {}
    for health in course:
        estimates = {item.failure_mode: item for item in health.rul}
        for name, item in estimates.items():
            episode = under_way.setdefault(name, _Episode())
            episode.failed |= item.p50_days <= 0.0
            if item.risk is not None:
                episode.probability = max(episode.probability, item.risk.within_30_days)
        if health.health is None or health.health < GOOD_HEALTH:
            continue
        for name in [name for name in under_way if name not in estimates]:
            episode = under_way.pop(name)
            mode = modes.get(name)
            near = episode.probability >= NEAR_PROBABILITY and not episode.failed
            if near and mode is not None and mode.repair is not None:
                yield AvertedFailure(
                    failure_mode=name,
                    title=mode.title,
                    until=health.ts,
                    probability=episode.probability,
                    avoided_cost=episode.probability * rates.failure_cost(mode.repair),
                    repair_cost=rates.repair_cost(mode.repair),
                )
