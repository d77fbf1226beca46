"""Effect of another operating state on a machine's health and remaining life."""

import math
from collections.abc import Mapping, Sequence

from forewarn.contracts.asset_class import AssetClass, FailureMode
from forewarn.contracts.health import RulEstimate
from forewarn.contracts.questions import HealthEffect, LifeEffect
from forewarn.domain.health.index import Observation, health_index
from forewarn.domain.health.profile import HealthProfile


def health_effect(profile: HealthProfile, before: Mapping[str, float], after: Mapping[str, float]) -> HealthEffect:
    """Judge both states by the metrics of the asset's class, with its weights and nameplate."""
    was, would = (health_index(profile, Observation(values=_known(state))) for state in (before, after))
    return HealthEffect(now=was.condition, then=would.condition, metrics_now=was.metrics, metrics_then=would.metrics)


def life_effects(
    asset_class: AssetClass, estimates: Sequence[RulEstimate], before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[LifeEffect, ...]:
    """Move the indicator of each failure mode under way.

    The remaining distance changes, the speed stays: life scales with the distance, for exponential growth with that of
    the logarithms. A load that also wears a machine faster is beyond the models and not claimed.
    """
    modes = {mode.id: mode for mode in asset_class.failure_modes}
    out = []
    for estimate in estimates:
        was, would = before.get(estimate.indicator, math.nan), after.get(estimate.indicator, math.nan)
        if estimate.failure_mode in modes and math.isfinite(was) and math.isfinite(would):
            share = _share_left(modes[estimate.failure_mode], estimate.threshold, was, would)
            out.append(
                LifeEffect(
                    failure_mode=estimate.failure_mode,
                    indicator=estimate.indicator,
                    level_now=was,
                    level_then=would,
                    now=estimate,
                    then=None if share is None else _scaled(estimate, share),
                )
            )
    return tuple(out)


def _share_left(mode: FailureMode, threshold: float, was: float, would: float) -> float | None:
    """Return the distance to the threshold after the change over that before; 0 beyond it."""
    if mode.growth == "exponential":
        if min(threshold, was, would) <= 0.0:
            return None
        threshold, was, would = math.log(threshold), math.log(was), math.log(would)
    left = threshold - was
    if left == 0.0:
        return None
    return max(0.0, (threshold - would) / left)


def _scaled(estimate: RulEstimate, share: float) -> RulEstimate:
    names = ("p10_days", "p50_days", "p90_days")
    moved: dict[str, object] = {name: getattr(estimate, name) * share for name in names}
    return estimate.model_copy(update={**moved, "risk": None})  # of another distribution


def _known(state: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in state.items()}
