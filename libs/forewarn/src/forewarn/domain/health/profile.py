"""How one asset's condition is judged: its class's metrics with this asset's weights and nameplate."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from forewarn.contracts.asset_class import AssetClass, HealthInput
from forewarn.contracts.assets import Asset, HealthWeights
from forewarn.contracts.health import ComponentName, HealthCategory
from forewarn.domain.physics.bands import STANDARDS, Bands, category_of_score

_FULL: Final = 100.0
_NOTHING_OWN: Final = HealthWeights()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearScale:
    """100 at ``good`` or better, 0 at ``bad`` or worse, linear between; ``bad`` may lie on either side.

    If both are equal, only that value itself is good.
    """

    good: float
    bad: float

    @property
    def less_is_better(self) -> bool:
        """Return whether small values are good."""
        return self.bad > self.good

    def score(self, value: float) -> float | None:
        """Score one value, 0–100; None for NaN."""
        if math.isnan(value):
            return None
        if self.good == self.bad:
            return _FULL if value == self.good else 0.0
        return _FULL * min(1.0, max(0.0, (value - self.bad) / (self.good - self.bad)))

    def is_sound(self, value: float) -> bool:
        """Return whether the value is ``good`` or better."""
        return self.score(value) == _FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetMetric:
    """One metric of an asset: the class's definition, and this asset's scale.

    ``scale`` is None where the nameplate lacks what the class's standard needs; ``lacks`` names it.
    """

    item: HealthInput
    weight: float
    unit: str
    titles: tuple[str, ...]  #: of the item's columns
    scale: LinearScale | Bands | None
    lacks: tuple[str, ...] = ()

    def score(self, value: float | None) -> float | None:
        """Score one of the metric's columns; None where it or its scale is unknown."""
        return None if value is None or self.scale is None else self.scale.score(value)

    def is_sound(self, value: float | None) -> bool:
        """Return whether a column is fine; an unknown one counts as fine."""
        return value is None or self.scale is None or self.scale.is_sound(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthProfile:
    """How one asset is judged."""

    metrics: tuple[AssetMetric, ...]
    components: Mapping[ComponentName, float]
    nameplate: Mapping[str, float]  #: as stated, or the class's default


def profile_of(asset_class: AssetClass, asset: Asset | None) -> HealthProfile:
    """Return how an asset is judged; by its class alone if ``asset`` is None or of another class."""
    if asset is None or asset.asset_class != asset_class.name:
        return class_profile(asset_class)
    return _profile(asset_class, asset.health_weights or _NOTHING_OWN, asset.nameplate)


@lru_cache(maxsize=256)
def class_profile(asset_class: AssetClass) -> HealthProfile:
    """Return how an asset is judged if only its class is known."""
    return _profile(asset_class, _NOTHING_OWN, {})


def _profile(asset_class: AssetClass, own: HealthWeights, stated: Mapping[str, float]) -> HealthProfile:
    plate = {field.name: field.default for field in asset_class.nameplate} | dict(stated)
    weights = asset_class.health_components
    usual: dict[ComponentName, float] = {
        "twin": weights.twin,
        "anomaly": weights.anomaly,
        "rul": weights.rul,
        "risk": weights.risk,
    }
    return HealthProfile(
        metrics=tuple(
            _metric(item, own.metrics.get(item.column, item.weight), plate, asset_class) for item in asset_class.health
        ),
        components={**usual, **own.components},
        nameplate=plate,
    )


def status_of(score: float | None) -> HealthCategory | None:
    """Return the category of a score; None where unknown."""
    return None if score is None else category_of_score(score)


def _metric(item: HealthInput, weight: float, plate: Mapping[str, float], asset_class: AssetClass) -> AssetMetric:
    titles = asset_class.titles
    unit = asset_class.units[item.column]
    scale, lacks = _scale(item, unit, plate)
    return AssetMetric(
        item=item, weight=weight, unit=unit, titles=tuple(titles[n] for n in item.columns), scale=scale, lacks=lacks
    )


def _scale(
    item: HealthInput, unit: str, plate: Mapping[str, float]
) -> tuple[LinearScale | Bands | None, tuple[str, ...]]:
    if item.good is not None and item.bad is not None:
        return LinearScale(good=item.good, bad=item.bad), ()
    if item.bands is not None:
        return Bands(unit=unit, edges=item.bands), ()
    standard = STANDARDS[item.standard or ""]
    bands = standard.of_machine(plate)
    return (None, standard.nameplate) if bands is None else (bands, ())
