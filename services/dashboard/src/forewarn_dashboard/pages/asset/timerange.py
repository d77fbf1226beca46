"""Time ranges in addresses: ``from=now-30m&to=now`` or ISO 8601 instants."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from forewarn.contracts.base import EARLIEST, LATEST

DEFAULT_FROM: Final = "now-30m"
DEFAULT_TO: Final = "now"
MAX_SPAN: Final = timedelta(days=366)
MIN_SPAN: Final = timedelta(seconds=10)

#: Choices of the range bar: address text → label.
PRESETS: Final = {
    "now-5m": "5 min",
    "now-30m": "30 min",
    "now-2h": "2 h",
    "now-12h": "12 h",
    "now-2d": "2 d",
    "now-14d": "14 d",
}

_RELATIVE: Final = re.compile(r"^now(?:-(\d{1,6})([smhdw]))?$")
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class TimeRangeError(ValueError):
    """The range in the address is invalid; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """A range resolved at an instant; ``follows_now``: its end moves with the clock."""

    start: datetime
    end: datetime
    follows_now: bool

    @property
    def span(self) -> timedelta:
        """Length of the range."""
        return self.end - self.start


def resolve(start_text: str, end_text: str, now: datetime) -> TimeRange:
    """Resolve the two ends at ``now``.

    Raises ``TimeRangeError`` if a text is neither relative nor ISO 8601, or the range is empty or longer than a year.
    """
    start, end = instant(start_text, now), instant(end_text, now)
    if end - start < MIN_SPAN:
        raise TimeRangeError(f"The range must span at least {MIN_SPAN.seconds} s: from {start_text} to {end_text}.")
    if end - start > MAX_SPAN:
        raise TimeRangeError("The range must not be longer than a year.")
    return TimeRange(start=start, end=end, follows_now=end_text == "now")


def instant(text: str, now: datetime) -> datetime:
    """Parse ``now-6h`` or ``2026-11-20T20:00:00Z``; a time without a zone is UTC.

    Raises ``TimeRangeError`` if it is neither.
    """
    match = _RELATIVE.match(text)
    try:
        moment = _read(text) if match is None else _before(now, *match.groups())
    except (ValueError, OverflowError) as exc:
        raise TimeRangeError(
            f"Not a time: {text!r}. Use now, now-30m, now-6h, now-2d or 2026-11-20T20:00:00Z."
        ) from exc
    if not EARLIEST <= moment < LATEST:
        raise TimeRangeError(f"{text} is outside the years {EARLIEST.year} to {LATEST.year - 1}.")
    return moment


def _read(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def _before(now: datetime, amount: str | None, unit: str) -> datetime:
    return now if amount is None else now - timedelta(seconds=int(amount) * _UNIT_S[unit])
