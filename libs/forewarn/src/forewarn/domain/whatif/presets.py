"""Frequent questions of operators, as changes of a class's drivers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.questions import ChangeRequest
from forewarn.domain.physics.units import UnitMismatchError, conversion
from forewarn.domain.whatif.question import changeable

_SPIKE_K: Final = 10.0
_MORE_PRESSURE: Final = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionPreset:
    """A named question; ``changes`` is empty for a class without such drivers."""

    title: str
    changes: Callable[[AssetClass], tuple[ChangeRequest, ...]]


def _load(factor: float) -> Callable[[AssetClass], tuple[ChangeRequest, ...]]:
    return lambda asset_class: tuple(ChangeRequest(column=name, factor=factor) for name in asset_class.twin.load)


def _hotter(asset_class: AssetClass) -> tuple[ChangeRequest, ...]:
    return tuple(
        ChangeRequest(column=n, shift=_SPIKE_K) for n in asset_class.twin.heat or _measured_in(asset_class, "Cel")
    )


def _more_pressure(asset_class: AssetClass) -> tuple[ChangeRequest, ...]:
    return tuple(ChangeRequest(column=name, factor=_MORE_PRESSURE) for name in _measured_in(asset_class, "bar"))


def _measured_in(asset_class: AssetClass, unit: str) -> list[str]:
    return [name for name in changeable(asset_class) if _fits(asset_class.units[name], unit)]


def _fits(source: str, target: str) -> bool:
    try:
        conversion(source, target)
    except UnitMismatchError:
        return False
    return True


#: By name, in the order in which they are offered.
PRESETS: Final[Mapping[str, QuestionPreset]] = MappingProxyType(
    {
        "high_load": QuestionPreset(title="Load 150 %", changes=_load(1.5)),
        "reduced_load": QuestionPreset(title="Load 50 %", changes=_load(0.5)),
        "temperature_spike": QuestionPreset(title="Temperatures 10 K higher", changes=_hotter),
        "pressure_change": QuestionPreset(title="Pressures 20 % higher", changes=_more_pressure),
    }
)


def presets_of(asset_class: AssetClass) -> dict[str, QuestionPreset]:
    """Return the questions that make sense for a class."""
    return {name: preset for name, preset in PRESETS.items() if preset.changes(asset_class)}
