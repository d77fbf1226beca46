"""What a fault's severity means in the indicator of its failure mode, measured on the machine model itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass, FailureMode
from forewarn.domain.frame import FloatArray
from forewarn.domain.physics.derive import derive
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.machine import Values
from forewarn.domain.simulation.profile import Profile

_SEVERITIES: Final = 41
_MOMENTS: Final = 24  # of a day
_ROUNDS: Final = 24  # of which the first half settles
_ROUND_S: Final = 300.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class IndicatorCurve:
    """Mean of an indicator over a day of the profile, by severity; both of shape (n,)."""

    severities: FloatArray
    means: FloatArray

    def severity_at(self, indicator: float) -> float:
        """Severity at which the indicator has this mean; the nearest end where it never has."""
        order = np.argsort(self.means)
        return float(np.interp(indicator, self.means[order], self.severities[order]))

    def failing_severity(self, threshold: float) -> float | None:
        """Severity at which the indicator crosses the limit; None: never."""
        rising = self.means[-1] > self.means[0]
        beyond = self.means >= threshold if rising else self.means <= threshold
        return self.severity_at(threshold) if beyond[-1] and not beyond[0] else None


def indicator_curve(
    asset_class: AssetClass,
    fault: str,
    indicator: str,
    *,
    design: Mapping[str, float],
    nameplate: Mapping[str, float],
    profile: Profile,
) -> IndicatorCurve:
    """Measure an indicator at every severity, at each of many moments of a day."""
    severities = np.linspace(0.0, 1.0, _SEVERITIES)
    lanes = np.repeat(severities, _MOMENTS)
    moments_s = np.tile(np.arange(_MOMENTS) * profile.period_s / _MOMENTS, _SEVERITIES)
    kind, rng = KINDS[asset_class.name], np.random.default_rng(0)
    surroundings, machine = profile.at(moments_s), kind.design(**design)
    state, found = kind.start, []
    for number in range(_ROUNDS):
        state, values = kind.step(
            machine, state, dt_s=_ROUND_S, surroundings=surroundings, faults={fault: lanes}, rng=rng
        )
        if number >= _ROUNDS // 2:
            found.append(_of(asset_class, values, nameplate, indicator))
    means = np.mean(found, axis=0).reshape(_SEVERITIES, _MOMENTS).mean(axis=1)
    return IndicatorCurve(severities=severities, means=means)


def mode_of(asset_class: AssetClass, fault: str) -> FailureMode | None:
    """The failure mode of this name; None for a fault that does not wear a machine out."""
    return next((mode for mode in asset_class.failure_modes if mode.id == fault), None)


def stated_nameplate(asset_class: AssetClass, design: Mapping[str, float]) -> dict[str, float]:
    """What the nameplate of a simulated machine says: those of the class's fields that its design has."""
    machine = KINDS[asset_class.name].design(**design)
    names = [item.name for item in asset_class.nameplate if hasattr(machine, item.name)]
    return {name: float(getattr(machine, name)) for name in names}


def _of(asset_class: AssetClass, values: Values, nameplate: Mapping[str, float], indicator: str) -> FloatArray:
    if indicator in values:
        return values[indicator]
    return derive(asset_class, values, nameplate)[indicator]
