"""Names by which the catalogue refers to formulae (``derived.function``)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from forewarn.domain.frame import FloatArray
from forewarn.domain.physics import chiller, energy, motor, pump

Formula = Callable[..., FloatArray]

_ALL: Final[tuple[Formula, ...]] = (
    pump.pump_head_m,
    pump.hydraulic_power_kw,
    energy.efficiency_pct,
    motor.phase_imbalance_pct,
    chiller.temperature_difference_k,
    chiller.water_duty_kw,
    chiller.refrigeration_tons,
    chiller.kw_per_ton,
    chiller.coefficient_of_performance,
    chiller.evaporator_approach_k,
    chiller.condenser_approach_k,
    chiller.energy_balance_residual_pct,
)

#: Formula by name; its parameters are the names that ``derived.inputs`` must give.
FORMULAE: Final[Mapping[str, Formula]] = MappingProxyType({formula.__name__: formula for formula in _ALL})
