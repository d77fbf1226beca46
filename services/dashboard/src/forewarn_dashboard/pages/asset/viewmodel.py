"""What the asset page says about readings, verdict and health."""

from typing import Final

from forewarn.contracts.health import AssetHealth
from forewarn_dashboard.client import Snapshot
from forewarn_dashboard.formatting import number, quantity, signed

_WHOLE_SCALE: Final = 100.0  # points of the health index


def judged(reading: Snapshot) -> bool:
    """Whether the twin judges live readings already."""
    return reading.score is not None and reading.phase == "live"


def verdict(reading: Snapshot | None, titles: dict[str, str]) -> str:
    """Why it is flagged, and the first question answered: is it the sensor or the machine? Empty when normal."""
    if reading is None or not reading.flag:
        return ""
    culprit = titles.get(reading.culprit or "", reading.culprit or "")
    share = reading.contribution.get(reading.culprit or "")
    named = f"{culprit}" + (f" ({_percent(share)} of the score)" if share is not None else "") if culprit else ""
    if reading.hint == "sensor_fault":
        return f"Looks like a sensor fault: {named or 'one tag'} disagrees with all others. Check the sensor first."
    if reading.hint == "asset_fault":
        return f"Looks like the machine, not a sensor. Largest contribution: {named or 'several tags'}."
    return f"Behaves unlike its learned normal. Largest contribution: {named or 'several tags'}."


def _percent(share: float) -> str:
    return f"{100 * share if share <= 1 else share:.0f}\u00a0%"


def contributions(reading: Snapshot | None, titles: dict[str, str]) -> tuple[tuple[str, float], ...]:
    """Tags with their share of the anomaly score in percent, largest first; empty while unknown."""
    if reading is None:
        return ()
    known = {tag: share for tag, share in reading.contribution.items() if share is not None}
    total = sum(max(share, 0.0) for share in known.values())
    if total <= 0:
        return ()
    shares = ((titles.get(tag, tag), 100 * max(share, 0.0) / total) for tag, share in known.items())
    return tuple(sorted(shares, key=lambda item: -item[1]))


def health_trend(health: AssetHealth | None) -> str:
    """``degrading, −1.3 points a day``; empty while unknown.

    A sudden fall makes a slope of thousands of points, which nobody can picture on a scale of 100.
    """
    if health is None or health.trend == "unknown":
        return ""
    rate = health.trend_per_day
    if not rate or health.trend == "stable":
        return health.trend
    if abs(rate) > _WHOLE_SCALE:
        return f"{health.trend}, over {_WHOLE_SCALE:.0f} points a day"
    return f"{health.trend}, {signed(rate, 2)} points a day"


def readout(reading: Snapshot | None, tag: str, unit: str) -> tuple[str, str, str]:
    """Measured value with unit, expected value, distance in healthy standard deviations."""
    if reading is None:
        return number(None), "", ""
    expected, residual = reading.expected.get(tag), reading.residual.get(tag)
    return (
        quantity(reading.values.get(tag), unit),
        "" if expected is None else f"expected {number(expected)}",
        "" if residual is None else f"{signed(residual, 2)} SD",
    )
