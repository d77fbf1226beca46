"""Columns and limits that a class watches for forecast alarms."""

from dataclasses import dataclass

from forewarn.contracts.asset_class import AssetClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One limit that a forecast rule anticipates; ``rising`` if reached from below."""

    rule: str
    column: str
    limit: float
    rising: bool
    horizon_days: float


def watches(asset_class: AssetClass) -> tuple[Watch, ...]:
    """Return the limits of threshold alarms that the class's forecast rules anticipate, in the order of the rules."""
    thresholds = {rule.id: rule for rule in asset_class.alarms if rule.source == "threshold"}
    found = []
    for rule in asset_class.alarms:
        if rule.source != "forecast" or rule.anticipates is None:
            continue
        threshold = thresholds[rule.anticipates]
        for limit, rising in ((threshold.high, True), (threshold.low, False)):
            if limit is not None and threshold.column is not None:
                found.append(
                    Watch(
                        rule=rule.id,
                        column=threshold.column,
                        limit=limit,
                        rising=rising,
                        horizon_days=rule.horizon_days,
                    )
                )
    return tuple(found)


def watched_columns(asset_class: AssetClass) -> tuple[str, ...]:
    """Return the watched columns, each once."""
    return tuple(dict.fromkeys(item.column for item in watches(asset_class)))
