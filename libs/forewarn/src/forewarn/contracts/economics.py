"""Costs of a machine's condition: each figure with its assumptions."""

from typing import Annotated

from pydantic import Field

from forewarn.contracts.base import Contract, Days, Identifier, NotNegative, Probability, UtcDatetime
from forewarn.contracts.health import FailureRisk


class CostByHorizon(Contract):
    """Expected cost from now on, in the report's currency."""

    within_7_days: NotNegative
    within_30_days: NotNegative
    within_90_days: NotNegative


class FailureCost(Contract):
    """Expected cost of one failure mode if nothing is done."""

    failure_mode: Identifier
    title: str
    downtime_cost: NotNegative = Field(description="Of one failure.")
    repair_cost: NotNegative = Field(description="Of one failure.")
    probability: FailureRisk
    expected_cost: CostByHorizon = Field(description="Probability × (downtime + repair).")


class EnergyWaste(Contract):
    """Energy used beyond what a healthy machine needs under the same load."""

    hours: NotNegative = Field(description="Time with measured and expected power.")
    mean_excess_kw: float = Field(description="Negative: it drew less than expected.")
    wasted_kwh: NotNegative = Field(description="Excess × hours; 0 when less was drawn than expected.")
    cost: NotNegative
    cost_per_day: NotNegative = Field(description="At the same running time and excess.")


class RepairOption(Contract):
    """A repair at some time from now."""

    in_days: Days
    failure_probability: Probability = Field(description="That the machine fails before.")
    expected_cost: float = Field(description="Repair or failure, energy wasted meanwhile, less the life not forfeited.")


class RepairChoice(Contract):
    """Repair now against later."""

    failure_mode: Identifier
    title: str
    options: Annotated[tuple[RepairOption, ...], Field(min_length=1)] = Field(description="Now first.")
    cheapest_in_days: Days
    cost_of_waiting: float = Field(description="Expected cost in 30 days less the cost now.")
    return_on_repair: float | None = Field(description="Cost of waiting / cost now; None where a repair costs nothing.")


class AvertedFailure(Contract):
    """A failure that was imminent and was averted."""

    failure_mode: Identifier
    title: str
    until: UtcDatetime = Field(description="When the machine was good again.")
    probability: Probability = Field(description="Highest probability of failure within 30 days.")
    avoided_cost: NotNegative = Field(description="Probability × cost of the failure.")
    repair_cost: NotNegative = Field(description="Of the planned repair, its downtime included.")


class Savings(Contract):
    """What was saved in the period."""

    averted: tuple[AvertedFailure, ...]
    avoided_cost: NotNegative
    repair_cost: NotNegative
    monitoring_cost: NotNegative
    net: float
    return_on_investment: float | None = Field(
        description="Net / (repairs + monitoring); None where nothing was spent."
    )


class EconomicReport(Contract):
    """Costs and savings of one asset."""

    asset_id: Identifier
    as_of: UtcDatetime
    period_days: Days = Field(description="Looked back for energy and savings.")
    currency: str
    downtime_cost_per_min: NotNegative
    energy_price_per_kwh: NotNegative
    expected_failure_cost: CostByHorizon | None = Field(description="None while no failure mode allows an estimate.")
    failures: tuple[FailureCost, ...]
    energy: EnergyWaste | None = Field(description="None where the class names no power, or none was measured.")
    repairs: tuple[RepairChoice, ...]
    savings: Savings
    assumptions: tuple[str, ...]
