"""When a forecast column reaches a limit: probability by time; earliest, likely and latest moment."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.forecast.outlook import Outlook
from forewarn.domain.frames.frame import FloatArray

#: Probabilities of having crossed that define the earliest, likely and latest time.
EARLIEST: Final = 0.1
LIKELY: Final = 0.5
LATEST: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Crossing of a limit within the horizon; times in seconds after the end of the history.

    A time is None if its probability is not reached within the horizon.
    """

    probability: float
    earliest_s: float | None
    likely_s: float | None
    latest_s: float | None


def crossing(outlook: Outlook, limit: float, *, rising: bool) -> Crossing:
    """Return when the mean of a step first reaches the limit from below (``rising``) or from above."""
    by_lead = crossed_by(outlook, limit, rising=rising)
    return Crossing(
        probability=float(by_lead[-1]),
        earliest_s=_reached(outlook, by_lead, EARLIEST),
        likely_s=_reached(outlook, by_lead, LIKELY),
        latest_s=_reached(outlook, by_lead, LATEST),
    )


def crossed_by(outlook: Outlook, limit: float, *, rising: bool) -> FloatArray:
    """Return the probability of having crossed by each lead, never falling, shape (horizon,).

    The error sequences of the back-test's origins are added to the forecast as sample paths, which keeps the errors'
    persistence. The share of paths that crossed is the probability; n paths never make it 0 or 1 (Krichevsky & Trofimov
    1981: half a path is added on each side).
    """
    sign = 1.0 if rising else -1.0
    errors = outlook.spread.errors
    beyond = sign * (outlook.expected + errors - limit) >= 0.0  # False where nothing was measured
    crossed = np.maximum.accumulate(beyond, axis=1).sum(axis=0)
    by_lead: FloatArray = (crossed + 0.5) / (len(errors) + 1.0)
    return by_lead


def _reached(outlook: Outlook, by_lead: FloatArray, probability: float) -> float | None:
    lead = int(np.searchsorted(by_lead, probability))
    return None if lead == by_lead.size else (lead + 0.5) * outlook.step_s
