"""The machines that can be simulated, by name of their asset class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from forewarn.domain.simulation.chiller import CHILLER_FAULTS, ChillerDesign, ChillerState, step_chiller
from forewarn.domain.simulation.compressor import COMPRESSOR_FAULTS, CompressorDesign, CompressorState, step_compressor
from forewarn.domain.simulation.cooling_tower import TOWER_FAULTS, TowerDesign, TowerState, step_tower
from forewarn.domain.simulation.fan import FAN_FAULTS, FanDesign, FanState, step_fan
from forewarn.domain.simulation.heat_exchanger import (
    HEAT_EXCHANGER_FAULTS,
    HeatExchangerDesign,
    HeatExchangerState,
    step_heat_exchanger,
)
from forewarn.domain.simulation.machine import Values
from forewarn.domain.simulation.motor import MOTOR_FAULTS, MotorDesign, MotorState, step_motor
from forewarn.domain.simulation.pump import PUMP_FAULTS, PumpDesign, PumpState, step_pump
from forewarn.domain.simulation.reciprocating import (
    RECIPROCATING_FAULTS,
    ReciprocatingDesign,
    ReciprocatingState,
    step_reciprocating,
)
from forewarn.domain.simulation.turbine import TURBINE_FAULTS, TurbineDesign, TurbineState, step_turbine


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of machine.

    Attributes
    ----------
    design
        Makes a design from keyword arguments, all with defaults.
    start
        State before the first step.
    step
        ``step(design, state, *, dt_s, surroundings, faults, rng) -> (state, values)``.
    faults
        Names of the faults ``step`` knows.
    """

    design: Callable[..., Any]
    start: Any
    step: Callable[..., tuple[Any, Values]]
    faults: tuple[str, ...]


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "centrifugal_pump": Kind(design=PumpDesign, start=PumpState(), step=step_pump, faults=PUMP_FAULTS),
        "chiller": Kind(design=ChillerDesign, start=ChillerState(), step=step_chiller, faults=CHILLER_FAULTS),
        "fan": Kind(design=FanDesign, start=FanState(), step=step_fan, faults=FAN_FAULTS),
        "heat_exchanger": Kind(
            design=HeatExchangerDesign,
            start=HeatExchangerState(),
            step=step_heat_exchanger,
            faults=HEAT_EXCHANGER_FAULTS,
        ),
        "electric_motor": Kind(design=MotorDesign, start=MotorState(), step=step_motor, faults=MOTOR_FAULTS),
        "centrifugal_compressor": Kind(
            design=CompressorDesign, start=CompressorState(), step=step_compressor, faults=COMPRESSOR_FAULTS
        ),
        "cooling_tower": Kind(design=TowerDesign, start=TowerState(), step=step_tower, faults=TOWER_FAULTS),
        "turbine": Kind(design=TurbineDesign, start=TurbineState(), step=step_turbine, faults=TURBINE_FAULTS),
        "reciprocating_compressor": Kind(
            design=ReciprocatingDesign, start=ReciprocatingState(), step=step_reciprocating, faults=RECIPROCATING_FAULTS
        ),
    }
)
