"""How a fault grows between its onset and the end of its course."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray

#: Points (share of the course, severity), rising from 0 to 1 in the first number.
Curve = tuple[tuple[float, float], ...]

STEADY: Final[Curve] = ((0.0, 0.0), (1.0, 1.0))
#: Wear that feeds on itself is exponential already in how machines answer to its severity (``machine.accelerating``).

#: A mistake of a repair: there at once, a little less when parts have bedded in, then it grows.
AFTER_INTERVENTION: Final[Curve] = ((0.0, 0.62), (0.12, 0.52), (0.3, 0.54), (1.0, 1.0))
#: A joint that fails: most of it early, then slowly more.
EARLY: Final[Curve] = ((0.0, 0.0), (0.15, 0.25), (0.4, 0.55), (1.0, 1.0))

_WAVES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthCourse:
    """One fault on its way from onset to the end."""

    fault: str  #: Name the machine model knows.
    #: [s since 1970 UTC]; it stays at its final severity after the end.
    onset_s: float
    end_s: float
    curve: Curve = STEADY  #: Severity over the share of the way, straight between points.
    severity: float = 1.0  #: Factor of the whole curve, 0–1.
    before: float = 0.0  #: Severity until the onset, where a story begins with a machine that is not quite new.
    #: Random part of the pace: amplitudes of sines over the way, so that it runs ahead and falls behind but always goes
    #: on.
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
        """Severity at a time [s since 1970 UTC]."""
        share = (np.asarray(t_s, dtype=np.float64) - self.onset_s) / (self.end_s - self.onset_s)
        way = np.clip(share, 0.0, 1.0)
        for wave, amplitude in enumerate(self.pace, 1):
            way = way + amplitude * np.sin(np.pi * wave * np.clip(share, 0.0, 1.0))
        points = np.asarray(self.curve)
        severity = self.severity * np.interp(np.clip(way, 0.0, 1.0), points[:, 0], points[:, 1])
        return np.where(share >= 0.0, severity, self.before)


def random_pace(spread: float, rng: np.random.Generator) -> tuple[float, ...]:
    """Draw the pace of a course; at a spread of 0.05 it is up to about 5 % of its length ahead or behind."""
    drawn = spread * rng.uniform(-1.0, 1.0, _WAVES) / np.arange(1, _WAVES + 1) ** 2
    return tuple(float(amplitude) for amplitude in drawn)


def worst_of(courses: Sequence[GrowthCourse], t_s: float | FloatArray) -> dict[str, FloatArray]:
    """Severity of every fault at a time; of two courses of one fault the worse counts."""
    severities: dict[str, FloatArray] = {}
    for course in courses:
        severity = course.at(t_s)
        before = severities.get(course.fault)
        severities[course.fault] = severity if before is None else np.maximum(before, severity)
    return severities
