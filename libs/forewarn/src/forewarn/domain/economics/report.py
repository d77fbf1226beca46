"""The economic report of one asset, with the assumptions its figures rest on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.economics import EconomicReport
from forewarn.contracts.health import AssetHealth
from forewarn.domain.economics.energy import energy_waste
from forewarn.domain.economics.failures import failure_costs, total_cost
from forewarn.domain.economics.rates import Rates, rates_of
from forewarn.domain.economics.repairs import repair_choices
from forewarn.domain.economics.savings import GOOD_HEALTH, NEAR_PROBABILITY, savings
from forewarn.domain.frames.frame import FloatArray

_ALWAYS: Final = (
    "Present operating conditions go on: probabilities come from the remaining life.",
    "Costs of repairs are the class's; a planned repair stands still for its stated hours.",
    "A repair made later keeps the life it would have forfeited, in proportion to the cost now; the repair of "
    "the nearest failure ends the waste of energy.",
    f"A failure counts as averted where it was more than {NEAR_PROBABILITY:.0%} likely within 30 days, its threshold "
    f"was not reached, and health was {GOOD_HEALTH:.0f} or more afterwards; it counts with its highest probability.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Measured and expected power over the period; times in seconds, power in kW, NaN unknown, shapes (n,)."""

    times_s: FloatArray
    measured_kw: FloatArray
    expected_kw: FloatArray


def economic_report(
    asset: Asset,
    asset_class: AssetClass,
    *,
    now: datetime,
    period_days: float,
    health: AssetHealth | None,
    course: Sequence[AssetHealth],
    power: Power | None,
) -> EconomicReport:
    """Return costs and savings of the asset's condition; ``course`` is its health over the period, oldest first."""
    rates = rates_of(asset_class, asset)
    estimates = () if health is None else health.rul
    failures = failure_costs(asset_class, estimates, rates)
    energy = None
    if power is not None:
        energy = energy_waste(power.times_s, power.measured_kw, power.expected_kw, rates.energy_price_per_kwh)
    return EconomicReport(
        asset_id=asset.asset_id,
        as_of=now,
        period_days=period_days,
        currency=rates.currency,
        downtime_cost_per_min=rates.downtime_cost_per_min,
        energy_price_per_kwh=rates.energy_price_per_kwh,
        expected_failure_cost=total_cost(failures),
        failures=failures,
        energy=energy,
        repairs=repair_choices(
            asset_class, estimates, rates, waste_per_day=0.0 if energy is None else energy.cost_per_day
        ),
        savings=savings(asset_class, course, rates, period_days=period_days),
        assumptions=(*_of_rates(rates, asset_class), *_ALWAYS),
    )


def _of_rates(rates: Rates, asset_class: AssetClass) -> tuple[str, ...]:
    said = [
        f"A minute of downtime costs {rates.downtime_cost_per_min:g} {rates.currency}.",
        f"Monitoring costs {rates.monitoring_cost_per_year:g} {rates.currency} a year.",
    ]
    if asset_class.economics.power is not None:
        said.append(
            f"A kWh costs {rates.energy_price_per_kwh:g} {rates.currency}; waste is power above what the twin expects "
            "of the healthy machine at the same load, what is below offsets it."
        )
    return tuple(said)
