"""``schemas/guard-rules.md``: every check of the guard by class, worded from the catalogue."""

from typing import Final

from forewarn.adapters.catalogue import Catalogue
from forewarn.adapters.schema_export.events import NOTICE
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.guard_rules import PhysicsRule, RedundantSensors, RuleCondition
from forewarn.domain.guard.rules import unit_of

_HEAD: Final = f"""<!-- {NOTICE} -->
# Rules of the guard

What the built-in classes declare; every class has the general checks besides. How they work:
[Physics-Guard](../libs/forewarn/docs/physics-guard.md). Where a condition is unknown, a rule that rejects holds with
the slack in brackets and a rule that warns does not hold, unless the row says otherwise.
"""
_RULES_HEAD: Final = ("rule", "must hold", "while", "broken:", "at fault", "what it says")
_REDUNDANT_HEAD: Final = ("redundant", "must agree", "within", "smoothed over", "while", "at fault", "what it says")


def guard_page(catalogue: Catalogue) -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(_section(catalogue[name]) for name in sorted(catalogue))


def _section(asset_class: AssetClass) -> str:
    rules = "".join(_rule_row(rule, asset_class.units) for rule in asset_class.rules)
    groups = "".join(_group_row(group, asset_class.units) for group in asset_class.redundant)
    tables = [_head(head) + rows for head, rows in ((_RULES_HEAD, rules), (_REDUNDANT_HEAD, groups)) if rows]
    return f"\n## {asset_class.title} (`{asset_class.name}`)\n\n" + "\n".join(tables)


def _rule_row(rule: PhysicsRule, units: dict[str, str]) -> str:
    unit = unit_of(rule, units)
    judged = _judged(rule)
    low = f"{_number(rule.minimum, unit)} ≤ " if rule.minimum is not None else ""
    high = f" ≤ {_number(rule.maximum, unit)}" if rule.maximum is not None else ""
    slack = f" [±{_number(rule.slack_if_unknown, unit)}]" if rule.slack_if_unknown else ""
    unusual = rule.conditions and rule.applies_if_unknown != (rule.severity == "reject")
    unknown = f"; if unknown: {'applies' if rule.applies_if_unknown else 'skipped'}" if unusual else ""
    cells = (
        f"`{rule.id}`",
        f"{low}{judged}{high}{slack}",
        _while(rule, units) + unknown,
        "rejected" if rule.severity == "reject" else "warning",
        rule.cause.value,
        f"{rule.message}. → {rule.recommendation}",
    )
    return _row(cells)


def _group_row(group: RedundantSensors, units: dict[str, str]) -> str:
    unit = units[group.columns[0]]
    shares = [_number(group.tolerance, unit)] if group.tolerance else []
    shares += [f"{group.tolerance_pct:g} %"] if group.tolerance_pct else []
    residual = " and 0" if len(group.columns) == 1 else ""
    cells = (
        f"`{group.id}`",
        ", ".join(f"`{column}`" for column in group.columns) + residual,
        " + ".join(shares),
        f"{group.time_constant_s:g} s",
        _while(group, units),
        group.cause.value,
        f"{group.message}. → {group.recommendation}",
    )
    return _row(cells)


def _while(check: PhysicsRule | RedundantSensors, units: dict[str, str]) -> str:
    return " and ".join(_condition(condition, units) for condition in check.conditions) or "always"


def _condition(condition: RuleCondition, units: dict[str, str]) -> str:
    unit = unit_of(condition, units)
    bounds = [f"> {_number(condition.above, unit)}"] if condition.above is not None else []
    bounds += [f"< {_number(condition.below, unit)}"] if condition.below is not None else []
    text = f"{_judged(condition)} {' and '.join(bounds)}"
    return text if condition.otherwise is None else f"{text} (else {_condition(condition.otherwise, units)})"


def _judged(rule: PhysicsRule | RuleCondition) -> str:
    return f"`{rule.column}`" + (f" − `{rule.minus}`" if rule.minus else "")


def _number(value: float, unit: str) -> str:
    return f"{value:g}" if unit == "1" else f"{value:g} {unit}"


def _head(cells: tuple[str, ...]) -> str:
    return f"{_row(cells)}|{'---|' * len(cells)}\n"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
