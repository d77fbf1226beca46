"""Findings of the guard about a reading, on the wire (``rule:column``) and in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass, Tag
from forewarn.contracts.guard_rules import Cause, PhysicsRule, RedundantSensors
from forewarn.domain.frames.frame import MISSING, Strings
from forewarn.domain.guard.estimates import estimable
from forewarn.domain.physics.unit_symbols import unit_symbol

#: Marks a derived quantity as an estimate; unlike all others no reason for a warning.
ESTIMATED = "estimated"


class Check(StrEnum):
    """Rules of every class; the class's own physics rules are added."""

    MISSING = "missing"
    GATEWAY_BAD = "gateway_bad"
    HARD_RANGE = "hard_range"
    SPIKE = "spike"
    FROZEN = "frozen"
    ENGINEERING_RANGE = "engineering_range"
    GATEWAY_UNCERTAIN = "gateway_uncertain"


#: Names that a class cannot use for its rules.
GENERAL_CHECKS: Final = frozenset({*(check.value for check in Check), ESTIMATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A finding in words."""

    #: The problem, and what to do.
    message: str
    recommendation: str
    cause: Cause  #: The probable cause.
    columns: tuple[str, ...]  #: Tags and derived quantities whose values led to the finding.


def explain(finding: str, asset_class: AssetClass) -> Explanation:
    """Explain a finding, ``rule:tag`` or ``estimated:column``; ValueError if the class has no such rule or column."""
    rule_id, _, column = finding.partition(":")
    rules: tuple[PhysicsRule | RedundantSensors, ...] = (*asset_class.rules, *asset_class.redundant)
    for rule in rules:
        if rule.id == rule_id:
            return Explanation(
                message=rule.message, recommendation=rule.recommendation, cause=rule.cause, columns=seen_by(rule)
            )
    for tag in asset_class.tags:
        if tag.name == column and rule_id in _WORDING:
            return _explain_check(Check(rule_id), tag, asset_class)
    if rule_id == ESTIMATED and column in estimable(asset_class):
        return _explain_estimate(column, asset_class)
    raise ValueError(f"class {asset_class.name} has no finding {finding!r}")


def seen_by(rule: PhysicsRule | RedundantSensors) -> tuple[str, ...]:
    """Return every column that a rule uses or blames, the one it judges first."""
    judged = (
        rule.columns if isinstance(rule, RedundantSensors) else (rule.column, *((rule.minus,) if rule.minus else ()))
    )
    asked = (name for condition in rule.conditions for name in condition.columns)
    return tuple(dict.fromkeys((*judged, *rule.blames, *asked)))


def _explain_estimate(column: str, asset_class: AssetClass) -> Explanation:
    title = next(item.title for item in asset_class.derived if item.name == column)
    tags = ", ".join(tag.title for tag in asset_class.tags if tag.name in estimable(asset_class)[column])
    return Explanation(
        message=f"{title} is estimated from nameplate values; not measured: {tags}",
        recommendation="Connect the sensor, or keep the nameplate at the values the machine runs at",
        cause=Cause.DATA,
        columns=(column,),
    )


def _explain_check(check: Check, tag: Tag, asset_class: AssetClass) -> Explanation:
    message, recommendation = _WORDING[check]
    low, high = tag.hard_range if check is Check.HARD_RANGE and tag.hard_range else tag.engineering_range
    words = {
        "title": tag.title,
        "low": f"{low:g}",
        "high": f"{high:g}",
        "unit": unit_symbol(tag.unit),
        "rate": f"{tag.max_rate_per_s or 0:g}",
        "frozen": f"{tag.frozen_after_s or 0:g}",
    }
    return Explanation(
        message=" ".join(message.format(**words).split()),  # without a unit no gap is left
        recommendation=recommendation,
        cause=_cause(check, tag.name, asset_class),
        columns=(tag.name,),
    )


def _cause(check: Check, tag: str, asset_class: AssetClass) -> Cause:
    if check is not Check.ENGINEERING_RANGE:
        return Cause.SENSOR
    # an indicator of the machine's condition leaves its range when the machine fails
    condition = {metric.column for metric in asset_class.health} | {
        mode.indicator for mode in asset_class.failure_modes
    }
    return Cause.MACHINE if tag in condition else Cause.PROCESS


_WORDING: dict[str, tuple[str, str]] = {
    Check.MISSING: (
        "{title} is missing, although sent before",
        "Check the sensor's connection and the gateway's mapping",
    ),
    Check.GATEWAY_BAD: ("The gateway reports {title} as bad", "Check the sensor and its connection to the gateway"),
    Check.HARD_RANGE: (
        "{title} is physically impossible: outside {low} to {high} {unit}",
        "Check the sensor, its wiring and the unit the gateway sends",
    ),
    Check.SPIKE: (
        "{title} jumped faster than {rate} {unit} a second and did not stay there",
        "Check the sensor's wiring and shielding",
    ),
    Check.FROZEN: (
        "{title} has not changed at all for more than {frozen} s while the machine runs",
        "Check whether the sensor is stuck or the gateway repeats an old value",
    ),
    Check.ENGINEERING_RANGE: (
        "{title} is outside its range of {low} to {high} {unit}",
        "Check the operating point and the sensor's calibration",
    ),
    Check.GATEWAY_UNCERTAIN: (
        "The gateway reports {title} as uncertain",
        "Check the sensor's calibration and the gateway's diagnostics",
    ),
}


@lru_cache(maxsize=256)
def warning_rules(asset_class: AssetClass) -> tuple[PhysicsRule, ...]:
    """Return the physics rules that make a reading uncertain."""
    return tuple(rule for rule in asset_class.rules if rule.severity == "warning")


@lru_cache(maxsize=256)
def finding_names(asset_class: AssetClass) -> tuple[str, ...]:
    """Return the wire form of each flag column: all checks × tags, warning rules, redundancy, then estimates."""
    checks = [f"{check}:{tag.name}" for check in Check for tag in asset_class.tags]
    rules = [_said(rule.id, rule.blames or (rule.column,)) for rule in warning_rules(asset_class)]
    drifts = [_said(group.id, blamed) for group, blamed in suspects(asset_class)]
    return (*checks, *rules, *drifts, *(f"{ESTIMATED}:{name}" for name in estimable(asset_class)))


def _said(rule_id: str, columns: Iterable[str]) -> str:
    return ";".join(f"{rule_id}:{column}" for column in columns)


@lru_cache(maxsize=256)
def suspects(asset_class: AssetClass) -> tuple[tuple[RedundantSensors, tuple[str, ...]], ...]:
    """Return, for each entry of ``state.watched``, its group and the columns suspected when they differ."""
    return tuple(
        (group, blamed)
        for group in asset_class.redundant
        for blamed in (
            [group.blames or group.columns] if len(group.columns) <= 2 else [(column,) for column in group.columns]
        )
    )


@lru_cache(maxsize=256)
def may_refuse(asset_class: AssetClass) -> NDArray[np.bool_]:
    """Return which flag columns, estimates excluded, refuse a reading in strict mode.

    Findings caused by the machine do not: strict mode must not hide a failure.
    """
    causes = [_cause(check, tag.name, asset_class) for check in Check for tag in asset_class.tags]
    causes += [rule.cause for rule in warning_rules(asset_class)]
    causes += [group.cause for group, _ in suspects(asset_class)]
    return np.array([cause is not Cause.MACHINE for cause in causes], dtype=np.bool_)


def findings_column(asset_class: AssetClass, flags: NDArray[np.bool_], rows: int, at: NDArray[np.intp]) -> Strings:
    """Encode flags as the column ``findings`` of length ``rows``; only the rows ``at`` have some.

    ``flags`` have a row per entry of ``at`` and a column per entry of ``finding_names``.
    """
    codes = np.full(rows, MISSING, dtype=np.int32)
    names = finding_names(asset_class)
    table: dict[str, int] = {}
    patterns: dict[bytes, int] = {}  # few patterns cover many rows
    packed = np.packbits(flags, axis=1)
    for row, key, flag in zip(at.tolist(), (line.tobytes() for line in packed), flags, strict=True):
        code = patterns.get(key)
        if code is None:
            text = ";".join(names[i] for i in np.flatnonzero(flag).tolist())
            code = patterns[key] = table.setdefault(text, len(table))
        codes[row] = code
    return Strings(codes, tuple(table))
