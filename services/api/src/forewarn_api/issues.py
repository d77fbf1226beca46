"""Explanations of the guard's findings, with values. Pure."""

from collections.abc import Mapping

from forewarn.contracts.answers.readings import FoundIssue
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.guard.findings import Explanation, explain


def found_issues(findings: str | None, asset_class: AssetClass, values: Mapping[str, float | None]) -> list[FoundIssue]:
    """Explain the column ``findings`` of one reading.

    ``findings`` are ``rule:tag`` pairs joined by ``;``; those that a changed class no longer knows are left out.
    Unknown ``values`` are None, NaN or absent.
    """
    explained = ((finding, _explained(finding, asset_class)) for finding in (findings or "").split(";") if finding)
    return [_issue(finding, words, asset_class, values) for finding, words in explained if words is not None]


def known(value: float | None) -> float | None:
    """Return the value, or None for NaN."""
    return value if value == value else None  # noqa: PLR0124  # NaN alone differs from itself


def _explained(finding: str, asset_class: AssetClass) -> Explanation | None:
    column = finding.partition(":")[2]
    if column not in asset_class.units:
        return None
    try:
        return explain(finding, asset_class)
    except ValueError:
        return None


def _issue(finding: str, words: Explanation, asset_class: AssetClass, values: Mapping[str, float | None]) -> FoundIssue:
    rule, _, column = finding.partition(":")
    return FoundIssue(
        rule=rule,
        tag=column,
        cause=words.cause,
        message=words.message,
        value=known(values.get(column)),
        unit=asset_class.units[column],
        values={name: known(values.get(name)) for name in words.columns},
        recommendation=words.recommendation,
    )
