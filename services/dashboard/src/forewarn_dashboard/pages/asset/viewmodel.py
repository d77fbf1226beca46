"""View model of the asset page: readings, verdict, health."""

from typing import Final

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import HintName
from forewarn.contracts.health import AssetHealth
from forewarn_dashboard.client import JudgedReading
from forewarn_dashboard.details import AssetProfile
from forewarn_dashboard.formatting import number, quantity, signed

_CAUSES: Final[dict[HintName, str]] = {
    "asset_fault": "probably the machine",
    "sensor_fault": "probably the sensor, check it first",
    "none": "machine or sensor not yet clear",
}
_WHOLE_SCALE: Final = 100.0  # points of the health index


def verdict(reading: JudgedReading | None, asset_class: AssetClass, since: str = "") -> str:
    """Say which signal is off, how far, which way, since when, and if machine or sensor; empty if normal."""
    if reading is None or not reading.flag:
        return ""
    tag = reading.culprit or ""
    value, expected = reading.values.get(tag), reading.expected.get(tag)
    text = asset_class.titles.get(tag, tag) if tag else "Several signals"
    if value is not None and expected is not None:
        unit = asset_class.units.get(tag, "")
        distance = quantity(abs(value - expected), "K" if unit == "Cel" else unit, 2)
        text += f" {quantity(value, unit)}, {distance} {'above' if value > expected else 'below'} expected"
    else:
        text += ": unlike normal"
    return f"{text}; {_CAUSES[reading.hint or 'none']}" + (f"; since {since}" if since else "")


def twin_status(detail: AssetProfile, latest: JudgedReading | None) -> str:
    """Say whether the twin is learning or judging, and how well it reconstructs normal operation."""
    needed = detail.asset_class.twin.baseline_readings
    if detail.model is None and (latest is None or latest.score is None or latest.phase != "live"):
        have = "" if detail.learned is None else f" {min(detail.learned, needed)} of"
        return f"Twin learns normal behaviour:{have} {needed} readings"
    if detail.model is None:
        version = latest.model_version if latest is not None else None
        return "Twin judges live readings" + ("" if version is None else f", model version {version}")
    scores = sorted(detail.model.r2.values())
    fit = f", median R² {scores[len(scores) // 2]:.2f}" if scores else ""
    silent = latest is not None and latest.phase == "live" and latest.score is None
    why = "; not judging now: machine at rest or inputs missing" if silent else ""
    return f"Twin model version {detail.model.version}, {detail.model.rows} readings{fit}{why}"


def contributions(reading: JudgedReading | None, titles: dict[str, str]) -> tuple[tuple[str, float], ...]:
    """Return signals with their shares in the anomaly score [%], largest first; empty while unknown."""
    if reading is None:
        return ()
    known = {tag: share for tag, share in reading.contribution.items() if share is not None}
    total = sum(max(share, 0.0) for share in known.values())
    if total <= 0:
        return ()
    shares = ((titles.get(tag, tag), 100 * max(share, 0.0) / total) for tag, share in known.items())
    return tuple(sorted(shares, key=lambda item: -item[1]))


def health_trend(health: AssetHealth | None) -> str:
    """Say ``degrading, −1.3 points a day``; empty while unknown.

    A sudden fall gives a slope of thousands of points, meaningless on a scale of 100.
    """
    if health is None or health.trend == "unknown":
        return ""
    rate = health.trend_per_day
    if not rate or health.trend == "stable":
        return health.trend
    if abs(rate) > _WHOLE_SCALE:
        return f"{health.trend}, over {_WHOLE_SCALE:.0f} points a day"
    return f"{health.trend}, {signed(rate, 2)} points a day"


def readout(reading: JudgedReading | None, tag: str, unit: str) -> tuple[str, str, str]:
    """Return the measured value with unit, expected value, distance in healthy standard deviations."""
    if reading is None:
        return number(None), "", ""
    expected, residual = reading.expected.get(tag), reading.residual.get(tag)
    return (
        quantity(reading.values.get(tag), unit),
        "" if expected is None else f"expected {number(expected)}",
        "" if residual is None else f"{signed(residual, 2)} SD",
    )
