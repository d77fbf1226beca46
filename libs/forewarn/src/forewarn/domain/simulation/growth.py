"""Growth of a fault between its onset and the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray

#: Points (share of the time, severity), rising from 0 to 1 in the first number.
Curve = tuple[tuple[float, float], ...]

#: Also for self-accelerating wear: machines respond exponentially to severity (``machine.accelerating``).
STEADY: Final[Curve] = ((0.0, 0.0), (1.0, 1.0))
#: A mistake of a repair: there at once, a little less when parts have bedded in, then growing.
AFTER_INTERVENTION: Final[Curve] = ((0.0, 0.62), (0.12, 0.52), (0.3, 0.54), (1.0, 1.0))
#: A failing joint: mostly early, then slowly more.
EARLY: Final[Curve] = ((0.0, 0.0), (0.15, 0.25), (0.4, 0.55), (1.0, 1.0))

_WAVES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthCourse:
    """Growth of one fault from onset to the end."""

    fault: str  #: Name in the machine model.
    #: [s since 1970 UTC]; the severity stays at its final value after the end.
    onset_s: float
    end_s: float
    curve: Curve = STEADY  #: Severity over the share of the time, linear between points.
    severity: float = 1.0  #: Factor of the whole curve, 0–1.
    before: float = 0.0  #: Severity until the onset, where a story begins with a machine that is not quite new.
    #: Random part of the pace: amplitudes of sines over the time, so that growth runs ahead and behind but never
    #: reverses.
    pace: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        shares = [share for share, _ in self.curve]
        if self.end_s <= self.onset_s or not 0.0 < self.severity <= 1.0:
            raise ValueError(f"a course needs an end after its onset and a severity above 0 and up to 1: {self}")
        if shares[0] != 0.0 or shares[-1] != 1.0 or any(after <= before for before, after in pairwise(shares)):
            raise ValueError(f"the curve of {self.fault} must rise from share 0 to 1: {self.curve}")
        if np.pi * sum(wave * abs(amplitude) for wave, amplitude in enumerate(self.pace, 1)) >= 1.0:
            raise ValueError(f"a course that went back in time: pace {self.pace}")

    def at(self, t_s: float | FloatArray) -> FloatArray:
        """Return the severity at a time [s since 1970 UTC]."""
        share = (np.asarray(t_s, dtype=np.float64) - self.onset_s) / (self.end_s - self.onset_s)
        way = np.clip(share, 0.0, 1.0)
        for wave, amplitude in enumerate(self.pace, 1):
            way = way + amplitude * np.sin(np.pi * wave * np.clip(share, 0.0, 1.0))
        points = np.asarray(self.curve)
        severity = self.severity * np.interp(np.clip(way, 0.0, 1.0), points[:, 0], points[:, 1])
        return np.where(share >= 0.0, severity, self.before)


def random_pace(spread: float, rng: np.random.Generator) -> tuple[float, ...]:
    """Draw the random pace; at a spread of 0.05 growth is up to about 5 % of its duration ahead or behind."""
    drawn = spread * rng.uniform(-1.0, 1.0, _WAVES) / np.arange(1, _WAVES + 1) ** 2
    return tuple(float(amplitude) for amplitude in drawn)


def worst_of(courses: Sequence[GrowthCourse], t_s: float | FloatArray) -> dict[str, FloatArray]:
    """Return the severity of every fault at a time; of two entries for one fault the worse counts."""
    severities: dict[str, FloatArray] = {}
    for course in courses:
        severity = course.at(t_s)
        before = severities.get(course.fault)
        severities[course.fault] = severity if before is None else np.maximum(before, severity)
    return severities
