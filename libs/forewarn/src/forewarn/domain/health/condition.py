"""An asset's present condition in one word, as shown first in overviews."""

from typing import Final, get_args

from forewarn.contracts.frames import Phase
from forewarn.contracts.health import Condition, HealthCategory

CONDITIONS: Final[tuple[Condition, ...]] = get_args(Condition)

#: Data is stale when older than this and than this many usual intervals between readings.
STALE_AFTER_S: Final = 30.0
STALE_INTERVALS: Final = 5  # a sensor that reports every 10 min is not stale after 31 s

_UNHEALTHY: Final = frozenset({HealthCategory.POOR, HealthCategory.CRITICAL})


def stale_after_s(interval_s: float | None) -> float:
    """Return the age [s] at which data is stale, given the usual interval [s], None if unknown."""
    return STALE_AFTER_S if interval_s is None else max(STALE_AFTER_S, STALE_INTERVALS * interval_s)


def condition_of(
    *, stale: bool, alarms: bool, flag: bool, category: HealthCategory | None, score: float | None, phase: int | None
) -> Condition:
    """Return the condition of an asset that has sent data; missing data outranks old judgements.

    ``flag``, ``score`` and ``phase`` are those of its newest judgement, None before the first.
    """
    if stale:
        return "stale"
    if alarms or flag or category in _UNHEALTHY:
        return "attention"
    if phase != Phase.LIVE:
        return "learning"
    return "unjudged" if score is None else "normal"
