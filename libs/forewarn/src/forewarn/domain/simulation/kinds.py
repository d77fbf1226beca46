"""The machines that can be simulated, by name of their asset class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from forewarn.domain.simulation.chiller import (
    CHILLER_FAULTS,
    CHILLER_SENSORS,
    ChillerDesign,
    ChillerState,
    step_chiller,
)
from forewarn.domain.simulation.compressor import (
    COMPRESSOR_FAULTS,
    COMPRESSOR_SENSORS,
    CompressorDesign,
    CompressorState,
    step_compressor,
)
from forewarn.domain.simulation.cooling_tower import TOWER_FAULTS, TOWER_SENSORS, TowerDesign, TowerState, step_tower
from forewarn.domain.simulation.fan import FAN_FAULTS, FAN_SENSORS, FanDesign, FanState, step_fan
from forewarn.domain.simulation.heat_exchanger import (
    HEAT_EXCHANGER_FAULTS,
    HEAT_EXCHANGER_SENSORS,
    HeatExchangerDesign,
    HeatExchangerState,
    step_heat_exchanger,
)
from forewarn.domain.simulation.machine import Sensor, Values
from forewarn.domain.simulation.motor import MOTOR_FAULTS, MOTOR_SENSORS, MotorDesign, MotorState, step_motor
from forewarn.domain.simulation.pump import PUMP_FAULTS, PumpDesign, PumpState, pump_sensors, step_pump
from forewarn.domain.simulation.reciprocating import (
    RECIPROCATING_FAULTS,
    RECIPROCATING_SENSORS,
    ReciprocatingDesign,
    ReciprocatingState,
    step_reciprocating,
)
from forewarn.domain.simulation.turbine import (
    TURBINE_FAULTS,
    TURBINE_SENSORS,
    TurbineDesign,
    TurbineState,
    step_turbine,
)


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
    sensors
        Sensors of a design, by tag.
    faults
        Names of the faults ``step`` knows.
    """

    design: Callable[..., Any]
    start: Any
    step: Callable[..., tuple[Any, Values]]
    sensors: Callable[[Any], Mapping[str, Sensor]]
    faults: tuple[str, ...]


def _whatever_the_design(sensors: Mapping[str, Sensor]) -> Callable[[Any], Mapping[str, Sensor]]:
    return lambda _design: sensors


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "centrifugal_pump": Kind(
            design=PumpDesign, start=PumpState(), step=step_pump, sensors=pump_sensors, faults=PUMP_FAULTS
        ),
        "chiller": Kind(
            design=ChillerDesign,
            start=ChillerState(),
            step=step_chiller,
            sensors=_whatever_the_design(CHILLER_SENSORS),
            faults=CHILLER_FAULTS,
        ),
        "fan": Kind(
            design=FanDesign,
            start=FanState(),
            step=step_fan,
            sensors=_whatever_the_design(FAN_SENSORS),
            faults=FAN_FAULTS,
        ),
        "heat_exchanger": Kind(
            design=HeatExchangerDesign,
            start=HeatExchangerState(),
            step=step_heat_exchanger,
            sensors=_whatever_the_design(HEAT_EXCHANGER_SENSORS),
            faults=HEAT_EXCHANGER_FAULTS,
        ),
        "electric_motor": Kind(
            design=MotorDesign,
            start=MotorState(),
            step=step_motor,
            sensors=_whatever_the_design(MOTOR_SENSORS),
            faults=MOTOR_FAULTS,
        ),
        "centrifugal_compressor": Kind(
            design=CompressorDesign,
            start=CompressorState(),
            step=step_compressor,
            sensors=_whatever_the_design(COMPRESSOR_SENSORS),
            faults=COMPRESSOR_FAULTS,
        ),
        "cooling_tower": Kind(
            design=TowerDesign,
            start=TowerState(),
            step=step_tower,
            sensors=_whatever_the_design(TOWER_SENSORS),
            faults=TOWER_FAULTS,
        ),
        "turbine": Kind(
            design=TurbineDesign,
            start=TurbineState(),
            step=step_turbine,
            sensors=_whatever_the_design(TURBINE_SENSORS),
            faults=TURBINE_FAULTS,
        ),
        "reciprocating_compressor": Kind(
            design=ReciprocatingDesign,
            start=ReciprocatingState(),
            step=step_reciprocating,
            sensors=_whatever_the_design(RECIPROCATING_SENSORS),
            faults=RECIPROCATING_FAULTS,
        ),
    }
)
