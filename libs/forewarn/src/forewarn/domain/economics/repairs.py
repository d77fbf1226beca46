"""Repair now or later: the risk of waiting against the life that an early repair gives up."""

from collections.abc import Sequence

from forewarn.contracts.asset_class import AssetClass, FailureMode, Repair
from forewarn.contracts.economics import RepairChoice, RepairOption
from forewarn.contracts.health import FailureRisk, RulEstimate
from forewarn.domain.economics.rates import Rates


def repair_choices(
    asset_class: AssetClass, estimates: Sequence[RulEstimate], rates: Rates, *, waste_per_day: float
) -> tuple[RepairChoice, ...]:
    """Return the cost of a repair now and in 7, 30 and 90 days for each failure mode under way.

    The repair of the first estimate, the nearest failure, is assumed to end the waste of energy.
    """
    modes = {mode.id: mode for mode in asset_class.failure_modes}
    choices: list[RepairChoice] = []
    for item in estimates:
        mode = modes.get(item.failure_mode)
        if mode is not None and mode.repair is not None and item.risk is not None:
            waste = 0.0 if choices else waste_per_day
            choices.append(_choice(mode, mode.repair, item, item.risk, rates, waste))
    return tuple(choices)


def _choice(
    mode: FailureMode, repair: Repair, item: RulEstimate, risk: FailureRisk, rates: Rates, waste_per_day: float
) -> RepairChoice:
    now, failure = rates.repair_cost(repair), rates.failure_cost(repair)
    options = [RepairOption(in_days=0.0, failure_probability=0.0, expected_cost=now)]
    horizons = ((7.0, risk.within_7_days), (30.0, risk.within_30_days), (90.0, risk.within_90_days))
    for days, probability in horizons:
        used_days = min(days, item.p50_days)
        kept = 0.0 if repair.service_life_days is None else now * min(1.0, used_days / repair.service_life_days)
        cost = probability * failure + (1.0 - probability) * now + waste_per_day * days - kept
        options.append(RepairOption(in_days=days, failure_probability=probability, expected_cost=cost))
    waiting = options[2].expected_cost - now
    return RepairChoice(
        failure_mode=mode.id,
        title=mode.title,
        options=tuple(options),
        cheapest_in_days=min(options, key=lambda option: option.expected_cost).in_days,
        cost_of_waiting=waiting,
        return_on_repair=waiting / now if now > 0.0 else None,
    )
