"""Numbers, quantities, times and ages for people. Unknown is an en dash, never 0."""

import math
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forewarn.domain.physics.unit_symbols import unit_symbol

UNKNOWN: Final = "–"

_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3600.0
_DAY_S: Final = 86400.0


def number(value: float | None, digits: int = 4) -> str:
    """Return a value with ``digits`` significant digits and a thin thousands gap; a dash if unknown."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    text = f"{value:,.{min(max(digits - 1 - magnitude, 0), 6)}f}"
    return text.replace(",", "\u202f").replace("-", "−")


def signed(value: float | None, digits: int = 3) -> str:
    """Return ``number`` with an explicit plus sign."""
    text = number(value, digits)
    return f"+{text}" if value is not None and math.isfinite(value) and value > 0 else text


def whole(value: float | None) -> str:
    """Return a value rounded to a whole number; a dash if unknown."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value:.0f}".replace("-", "−")


def quantity(value: float | None, unit: str, digits: int = 4) -> str:
    """Return number and unit, kept on one line; just a dash if the value is unknown."""
    text = number(value, digits)
    symbol = unit_symbol(unit)
    return text if text == UNKNOWN or not symbol else f"{text}\u00a0{symbol}"


def money(amount: float | None, currency: str) -> str:
    """Return an amount with its currency, rounded to three digits like any estimate; a dash if unknown."""
    return estimate(amount, "€" if currency == "EUR" else currency)


def estimate(amount: float | None, unit: str) -> str:
    """Return an amount with three digits, but no finer than a hundredth."""
    if amount is None or not math.isfinite(amount):
        return UNKNOWN
    rounded = round(float(f"{amount:.3g}"), 2)
    digits = 3 if abs(rounded) >= 1.0 else 2 if abs(rounded) >= 0.1 else 1
    return f"{number(rounded, digits)}\u00a0{unit}"


def duration(seconds: float | None) -> str:
    """Return a duration in its largest fitting unit: ``45 s``, ``3 min``, ``2 h``, ``5 d``."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    seconds = max(seconds, 0.0)
    for limit_s, size_s, name in ((_MINUTE_S, 1.0, "s"), (_HOUR_S, _MINUTE_S, "min"), (2 * _DAY_S, _HOUR_S, "h")):
        if seconds < limit_s:
            return f"{int(seconds // size_s)}\u00a0{name}"
    return f"{int(seconds // _DAY_S)}\u00a0d"


def life_days(days: float | None) -> str:
    """Return remaining life: minutes below two hours, hours below two days, years above two; a dash if unknown."""
    if days is None or not math.isfinite(days):
        return UNKNOWN
    if abs(days) < 2 / 24:
        return f"{days * 24 * 60:.0f}\u00a0min"
    if days < 2:
        return f"{days * 24:.0f}\u00a0h"
    if days < 730:
        return f"{days:.0f}\u00a0d"
    return f"{days / 365.25:.1f}\u00a0years"


def zone(name: str | None) -> tzinfo:
    """Return the time zone of an IANA name; UTC for a missing or unknown one."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a directory of the database
        return UTC


def zone_label(tz: tzinfo, at: datetime) -> str:
    """Return the short name of the zone at an instant, e.g. ``UTC`` or ``CET (UTC+01:00)``."""
    local = at.astimezone(tz)
    name = local.tzname() or ""
    if name == "UTC":
        return "UTC"
    offset = local.strftime("%z")
    shown = f"UTC{offset[:3]}:{offset[3:5]}"
    return shown if not name or name[0] in "+-" else f"{name} ({shown})"


def clock_time(at: datetime | None, tz: tzinfo, now: datetime) -> str:
    """Return the time of day, with the date unless it is today."""
    if at is None:
        return UNKNOWN
    local = at.astimezone(tz)
    form = "%H:%M:%S" if local.date() == now.astimezone(tz).date() else "%Y-%m-%d %H:%M:%S"
    return local.strftime(form)


def date_time(at: datetime | None, tz: tzinfo) -> str:
    """Return the date and time to the second."""
    return UNKNOWN if at is None else at.astimezone(tz).strftime("%Y-%m-%d %H:%M:%S")


def plot_time(at: datetime, tz: tzinfo) -> str:
    """Return wall-clock time in a zone in plotly's form: ISO with milliseconds, without offset."""
    return at.astimezone(tz).replace(tzinfo=None).isoformat(timespec="milliseconds")


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 alarm``, ``2 alarms``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
