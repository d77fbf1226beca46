"""A plant's daily demand, and growth of faults."""

from dataclasses import dataclass, field, replace

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.simulation.machine import Surroundings
from forewarn.domain.simulation.weather import Climate, weather_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Daily demand, and the climate."""

    #: Length of a "day"; a demo shortens it, so that a short history shows every load. The year shortens with it.
    period_s: float = 86_400.0
    #: Mean and half range of the demand, as shares of the rated duty.
    base: float = 0.75
    swing: float = 0.2
    phase: float = 0.0  #: Position in the day at time 0, 0–1.
    climate: Climate = field(default_factory=Climate)  #: Weather around the machine.

    def __post_init__(self) -> None:
        if self.period_s <= 0 or not 0 <= self.swing <= self.base <= 1 or self.base + self.swing > 1:
            raise ValueError(
                f"demand {self.base} ± {self.swing} must lie within 0 and 1, and period_s, {self.period_s:g}, above 0"
            )

    def at(self, t_s: float | FloatArray) -> Surroundings:
        """Return demand and weather at a time [s since the epoch]: one peak and a shoulder of demand a day."""
        days = np.asarray(t_s, dtype=np.float64) / self.period_s
        angle = 2.0 * np.pi * (days + self.phase)
        shape = (np.sin(angle) + 0.35 * np.sin(2.0 * angle + 1.0)) / 1.35
        weather = weather_at(self.climate, days)
        return Surroundings(
            demand=self.base + self.swing * shape,
            ambient_temp_c=weather.temp_c,
            relative_humidity_pct=weather.relative_humidity_pct,
        )

    def without_fronts(self) -> "Profile":
        """Return the same profile with the usual weather of each date."""
        return replace(self, climate=self.climate.without_fronts())


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCourse:
    """A fault that starts, grows, stays, is repaired, and starts again after a healthy time."""

    fault: str
    onset_s: float  #: First start [s, on the caller's time scale].
    duration_s: float  #: From onset to full severity.
    #: How long the failed machine runs before it is repaired; None: never repaired.
    hold_s: float | None = None
    healthy_s: float = 0.0  #: How long a repaired machine is healthy before the fault starts again.
    severity: float = 1.0  #: Final severity, 0–1.

    def __post_init__(self) -> None:
        if self.duration_s <= 0 or not 0 < self.severity <= 1 or (self.hold_s or 0) < 0 or self.healthy_s < 0:
            raise ValueError(f"a fault needs a duration above 0, a severity within 0 and 1, and times from 0: {self}")

    def at(self, t_s: float) -> float:
        """Return the severity at a time."""
        age = t_s - self.onset_s
        if age <= 0:
            return 0.0
        if self.hold_s is not None:
            age %= self.duration_s + self.hold_s + self.healthy_s
            if age > self.duration_s + self.hold_s:
                return 0.0
        return self.severity * min(age / self.duration_s, 1.0)
