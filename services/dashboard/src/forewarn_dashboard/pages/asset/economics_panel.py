"""Side panel of the asset page: costs of its condition."""

from dash import html

from forewarn.contracts.economics import EconomicReport, RepairChoice
from forewarn_dashboard.components import bullets, definition_list
from forewarn_dashboard.formatting import estimate, money
from forewarn_dashboard.scene import Node


def economics_panel(report: EconomicReport | None) -> Node:
    """Draw expected cost of failure, repair now or later, wasted energy, savings, and the assumptions."""
    if report is None:
        return html.P("Not available now.", className="note")
    return [
        definition_list(_facts(report)),
        html.Details(
            [
                html.Summary("Assumptions"),
                bullets(report.assumptions),
            ]
        ),
    ]


def _facts(report: EconomicReport) -> list[tuple[str, Node]]:
    currency = report.currency
    expected = report.expected_failure_cost
    facts: list[tuple[str, Node]] = [
        (
            "Expected cost of failure, 30 days",
            "none expected" if expected is None else money(expected.within_30_days, currency),
        )
    ]
    facts += [(f"Repair: {choice.title.lower()}", _repair_words(choice, currency)) for choice in report.repairs[:1]]
    if report.energy is not None:
        facts.append(
            (
                f"Wasted energy, {report.period_days:.0f} days",
                f"{money(report.energy.cost, currency)} ({estimate(report.energy.wasted_kwh, 'kWh')})",
            )
        )
    facts.append((f"Saved, {report.period_days:.0f} days", _savings_words(report)))
    return facts


def _repair_words(choice: RepairChoice, currency: str) -> str:
    now, _, month, *_ = choice.options
    when = "now is cheapest" if choice.cheapest_in_days == 0 else f"in {choice.cheapest_in_days:.0f} days is cheapest"
    return f"{money(now.expected_cost, currency)} now, {money(month.expected_cost, currency)} in 30 days; {when}"


def _savings_words(report: EconomicReport) -> str:
    saved = report.savings
    if not saved.averted:
        return "no failure averted yet"
    failures = "one averted failure" if len(saved.averted) == 1 else f"{len(saved.averted)} averted failures"
    words = f"{money(saved.net, report.currency)} by {failures}"
    back = saved.return_on_investment
    return words if back is None else f"{words}, return {100 * back:.0f}\u00a0%"
