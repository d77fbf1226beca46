"""Effect of a fault's severity on the indicator of its failure mode, measured on the machine model itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass, FailureMode
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.derive import derive
from forewarn.domain.simulation.growth import GrowthCourse
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.machine import Values
from forewarn.domain.simulation.profile import Profile

_SEVERITIES: Final = 21
_DATES: Final = 5  # of the time, at which the indicator is measured at every severity: the season moves it slowly
_WATCHED: Final = 65  # moments at which a failure is looked for
_HOURS: Final = 24  # of a day
_ROUNDS: Final = 24  # the first half settles
_ROUND_S: Final = 300.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Gauge:
    """Measures the indicator of a failure mode on a machine with a fault."""

    asset_class: AssetClass
    fault: str
    indicator: str
    design: Mapping[str, float]
    nameplate: Mapping[str, float]
    profile: Profile

    def daily_means(self, severities: FloatArray, middles_s: FloatArray) -> FloatArray:
        """Average over the day around each moment [s since 1970 UTC], at its severity; all of shape (n,)."""
        hours_s = (np.arange(_HOURS) + 0.5) * self.profile.period_s / _HOURS - 0.5 * self.profile.period_s
        surroundings = self.profile.at(np.add.outer(middles_s, hours_s).ravel())
        faults = {self.fault: np.repeat(severities, _HOURS)}
        kind, rng = KINDS[self.asset_class.name], np.random.default_rng(0)
        machine, state, found = kind.design(**self.design), kind.start, []
        for number in range(_ROUNDS):
            state, values = kind.step(machine, state, dt_s=_ROUND_S, surroundings=surroundings, faults=faults, rng=rng)
            if number >= _ROUNDS // 2:
                found.append(self._shown(values))
        means: FloatArray = np.mean(found, axis=0).reshape(-1, _HOURS).mean(axis=1)
        return means

    def _shown(self, values: Values) -> FloatArray:
        if self.indicator in values:
            return values[self.indicator]
        unknown = np.full_like(next(iter(values.values())), np.nan)
        tags = {tag: values.get(tag, unknown) for tag in self.asset_class.tag_names}
        return derive(self.asset_class, tags, self.nameplate, wanted={self.indicator}).get(self.indicator, unknown)

    @property
    def shows(self) -> bool:
        """Return whether the machine's model has values of the indicator; users' classes may have other tags."""
        return bool(np.isfinite(self.daily_means(np.zeros(1), np.zeros(1))).all())


def severities_for(gauge: Gauge, shares: FloatArray, wanted: FloatArray, *, begin_s: float, end_s: float) -> FloatArray:
    """Return severities that give the indicator a wanted curve, in the usual weather of its dates.

    ``shares`` of the time from ``begin_s`` to ``end_s``, 0–1, and ``wanted`` values of the indicator have shape (n,).
    """
    usual = replace(gauge, profile=gauge.profile.without_fronts())
    severities, dates = np.linspace(0.0, 1.0, _SEVERITIES), np.linspace(0.0, 1.0, _DATES)
    middles_s = np.repeat(begin_s + dates * (end_s - begin_s), _SEVERITIES)
    shown = usual.daily_means(np.tile(severities, _DATES), middles_s).reshape(_DATES, _SEVERITIES)
    by_date = np.array([_severities_at(means, severities, wanted) for means in shown])
    return np.array([np.interp(share, dates, column) for share, column in zip(shares, by_date.T, strict=True)])


def crossing_s(gauge: Gauge, course: GrowthCourse, threshold: float) -> float | None:
    """Return when the indicator's daily mean first crosses a limit [s since 1970 UTC]; None if it never does."""
    middles_s = np.linspace(course.onset_s, course.end_s, _WATCHED)
    shown = gauge.daily_means(course.at(middles_s), middles_s)
    beyond = shown >= threshold if shown[-1] > shown[0] else shown <= threshold
    if beyond[0] or not beyond.any():
        return None
    after = int(np.argmax(beyond))
    way = (threshold - shown[after - 1]) / (shown[after] - shown[after - 1])
    return float(middles_s[after - 1] + way * (middles_s[after] - middles_s[after - 1]))


def _severities_at(means: FloatArray, severities: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return severities at which the indicator has these means, or comes nearest to them."""
    order = np.argsort(means)
    found: FloatArray = np.interp(wanted, means[order], severities[order])
    return found


def mode_of(asset_class: AssetClass, fault: str) -> FailureMode | None:
    """Return the failure mode of this name; None for a fault without wear."""
    return next((mode for mode in asset_class.failure_modes if mode.id == fault), None)


def stated_nameplate(asset_class: AssetClass, design: Mapping[str, float]) -> dict[str, float]:
    """Return the nameplate of a simulated machine: the class's fields that its design has."""
    machine = KINDS[asset_class.name].design(**design)
    names = [item.name for item in asset_class.nameplate if hasattr(machine, item.name)]
    return {name: float(getattr(machine, name)) for name in names}
