"""Expected cost of failures, from the failure probabilities of the RUL estimates."""

from collections.abc import Sequence

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.economics import CostByHorizon, FailureCost
from forewarn.contracts.health import FailureRisk, RulEstimate
from forewarn.domain.economics.rates import Rates


def failure_costs(asset_class: AssetClass, estimates: Sequence[RulEstimate], rates: Rates) -> tuple[FailureCost, ...]:
    """Return the expected cost of each failure mode under way, the most expensive within 30 days first.

    Modes for which the class defines no repair are left out.
    """
    modes = {mode.id: mode for mode in asset_class.failure_modes}
    found: list[FailureCost] = []
    for item in estimates:
        mode = modes.get(item.failure_mode)
        if mode is None or mode.repair is None or item.risk is None:
            continue
        found.append(
            FailureCost(
                failure_mode=mode.id,
                title=mode.title,
                downtime_cost=rates.downtime_cost(mode.repair.unplanned_downtime_h),
                repair_cost=mode.repair.unplanned_cost,
                probability=item.risk,
                expected_cost=expected_cost(item.risk, rates.failure_cost(mode.repair)),
            )
        )
    return tuple(sorted(found, key=lambda cost: cost.expected_cost.within_30_days, reverse=True))


def expected_cost(risk: FailureRisk, cost: float) -> CostByHorizon:
    """Return probability × cost."""
    return CostByHorizon(
        within_7_days=risk.within_7_days * cost,
        within_30_days=risk.within_30_days * cost,
        within_90_days=risk.within_90_days * cost,
    )


def total_cost(costs: Sequence[FailureCost]) -> CostByHorizon | None:
    """Sum over the failure modes; None without any.

    Expectations add up whether or not the modes depend on each other.
    """
    if not costs:
        return None
    return CostByHorizon(
        within_7_days=sum(cost.expected_cost.within_7_days for cost in costs),
        within_30_days=sum(cost.expected_cost.within_30_days for cost in costs),
        within_90_days=sum(cost.expected_cost.within_90_days for cost in costs),
    )
