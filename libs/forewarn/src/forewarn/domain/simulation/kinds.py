"""Machines that can be simulated, by name of their asset class."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from forewarn.domain.simulation.chiller import CHILLER
from forewarn.domain.simulation.compressor import COMPRESSOR
from forewarn.domain.simulation.cooling_tower import TOWER
from forewarn.domain.simulation.fan import FAN
from forewarn.domain.simulation.heat_exchanger import HEAT_EXCHANGER
from forewarn.domain.simulation.machine import Kind
from forewarn.domain.simulation.motor import MOTOR
from forewarn.domain.simulation.pump import PUMP
from forewarn.domain.simulation.reciprocating import RECIPROCATING
from forewarn.domain.simulation.turbine import TURBINE

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "centrifugal_pump": PUMP,
        "chiller": CHILLER,
        "fan": FAN,
        "heat_exchanger": HEAT_EXCHANGER,
        "electric_motor": MOTOR,
        "centrifugal_compressor": COMPRESSOR,
        "cooling_tower": TOWER,
        "turbine": TURBINE,
        "reciprocating_compressor": RECIPROCATING,
    }
)
