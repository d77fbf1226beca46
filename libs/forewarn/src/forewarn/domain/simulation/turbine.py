"""A back-pressure steam turbine under a governor, from its enthalpy balance.

The steam expands as an ideal gas between the pressures (an exponent of 1.3 is within a few points for superheated
steam), with an isentropic efficiency that falls off the best load. The governor lets in the steam that the load
needs: ``m·c_p·(T_1 − T_2) = P + losses``. The heat put in is that steam's enthalpy above the feed water's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import GAS_CONSTANT_J_MOL_K, STANDARD_ATMOSPHERE_BAR
from forewarn.domain.physics.gas import isentropic_temp_c
from forewarn.domain.simulation.dynamics import joined_rms
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
    MISALIGNMENT,
    THRUST_BEARING_WEAR,
    Instant,
    Kind,
    Sensor,
    Severities,
    Values,
    accelerating,
    measure,
    severity_of,
    whatever_the_design,
)

BLADE_FOULING: Final = "blade_fouling"
TURBINE_FAULTS: Final = (BLADE_FOULING, BEARING_WEAR, THRUST_BEARING_WEAR, MISALIGNMENT)

_STEAM_G_MOL: Final = 18.015
_BEST_LOAD: Final = 0.95
_LOST: Final = 0.03  # bearings, gear and generator over the rated power, whatever the load
#: Enthalpy of steam at 41 bar absolute and 400 °C, and its slopes there (IAPWS-IF97); feed water at 105 °C.
_STEAM_KJ_KG, _PER_K, _PER_BAR, _FEED_KJ_KG = 3211.0, 2.34, -1.8, 440.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurbineDesign:
    """Nameplate and installation of one turbine, or of many as arrays.

    Attributes
    ----------
    best_efficiency
        Isentropic efficiency at 95 % load.
    vibration_um
        Shaft vibration of the drive end when healthy.
    """

    rated_power_kw: FloatArray | float = 5000.0
    speed_rpm: FloatArray | float = 6000.0
    best_efficiency: FloatArray | float = 0.76
    isentropic_exponent: FloatArray | float = 1.3
    inlet_pressure_bar: FloatArray | float = 40.0
    inlet_temp_c: FloatArray | float = 400.0
    exhaust_pressure_bar: FloatArray | float = 4.0
    vibration_um: FloatArray | float = 35.0
    bearing_time_constant_s: float = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurbineState:
    """What a turbine carries from one instant to the next; None: not started yet.

    Attributes
    ----------
    load, speed, inlet_bar, inlet_k, exhaust_bar
        Slow wander of load and speed (relative) and of the steam.
    """

    load: FloatArray | float = 0.0
    speed: FloatArray | float = 0.0
    inlet_bar: FloatArray | float = 0.0
    inlet_k: FloatArray | float = 0.0
    exhaust_bar: FloatArray | float = 0.0
    bearing_c: FloatArray | None = None
    thrust_bearing_c: FloatArray | None = None


TURBINE_SENSORS: Final[dict[str, Sensor]] = {
    "speed_rpm": Sensor(noise=1.0, resolution=0.1),
    "power_kw": Sensor(noise=10.0, resolution=1.0),
    "inlet_pressure_bar": Sensor(noise=0.04, resolution=0.01),
    "inlet_temp_c": Sensor(noise=0.3, resolution=0.05),
    "exhaust_pressure_bar": Sensor(noise=0.006, resolution=0.001),
    "exhaust_temp_c": Sensor(noise=0.25, resolution=0.05),
    "heat_input_kw": Sensor(noise=90.0, resolution=5.0),
    "vibration_de_um": Sensor(noise=0.9, resolution=0.05),
    "vibration_nde_um": Sensor(noise=0.9, resolution=0.05),
    "vibration_mm_s": Sensor(noise=0.04, resolution=0.005),
    "axial_position_mm": Sensor(noise=0.003, resolution=0.0005),
    "bearing_temp_c": Sensor(noise=0.15, resolution=0.02),
    "thrust_bearing_temp_c": Sensor(noise=0.15, resolution=0.02),
    "lube_oil_temp_c": Sensor(noise=0.1, resolution=0.02),
    "ambient_temp_c": Sensor(noise=0.08, resolution=0.02),
    "speed_b_rpm": Sensor(noise=1.0, resolution=0.1),
    "speed_c_rpm": Sensor(noise=1.0, resolution=0.1),
}


def step_turbine(design: TurbineDesign, state: TurbineState, instant: Instant) -> tuple[TurbineState, Values]:
    """Advance by one step and read the sensors."""
    surroundings, faults = instant.surroundings, instant.faults
    load = instant.wandered(state.load, spread=0.015, memory_s=40.0)
    speed = instant.wandered(state.speed, spread=0.001, memory_s=30.0)
    inlet_bar = instant.wandered(state.inlet_bar, spread=0.3, memory_s=120.0)
    inlet_k = instant.wandered(state.inlet_k, spread=2.0, memory_s=240.0)
    exhaust_bar = instant.wandered(state.exhaust_bar, spread=0.04, memory_s=120.0)
    share = (0.45 + 0.55 * surroundings.demand) * (1.0 + load)
    truth = {
        "speed_rpm": design.speed_rpm * (1.0 + speed),
        "power_kw": design.rated_power_kw * share,
        "inlet_pressure_bar": design.inlet_pressure_bar + inlet_bar,
        "inlet_temp_c": design.inlet_temp_c + inlet_k,
        "exhaust_pressure_bar": design.exhaust_pressure_bar + exhaust_bar,
        "ambient_temp_c": surroundings.ambient_temp_c,
        "lube_oil_temp_c": 46.0 + 0.15 * (surroundings.ambient_temp_c - 22.0),
    }
    truth |= dict.fromkeys(("speed_b_rpm", "speed_c_rpm"), truth["speed_rpm"])
    truth |= _expansion(design, truth, share, severity_of(faults, BLADE_FOULING))
    truth |= _rotor(design, share, faults)
    bearing_c, thrust_c = _bearings(truth, share, faults)
    lag = design.bearing_time_constant_s
    truth["bearing_temp_c"] = instant.lagged(state.bearing_c, bearing_c, time_constant_s=lag)
    truth["thrust_bearing_temp_c"] = instant.lagged(state.thrust_bearing_c, thrust_c, time_constant_s=lag)
    after = TurbineState(
        load=load,
        speed=speed,
        inlet_bar=inlet_bar,
        inlet_k=inlet_k,
        exhaust_bar=exhaust_bar,
        bearing_c=truth["bearing_temp_c"],
        thrust_bearing_c=truth["thrust_bearing_temp_c"],
    )
    return after, measure(truth, TURBINE_SENSORS, instant.rng)


def _expansion(design: TurbineDesign, truth: Values, share: FloatArray, fouling: FloatArray) -> Values:
    kappa = np.asarray(design.isentropic_exponent)
    ratio = (truth["exhaust_pressure_bar"] + STANDARD_ATMOSPHERE_BAR) / (
        truth["inlet_pressure_bar"] + STANDARD_ATMOSPHERE_BAR
    )
    ideal_k = truth["inlet_temp_c"] - isentropic_temp_c(truth["inlet_temp_c"], ratio, kappa)
    efficiency = design.best_efficiency * (1.0 - 0.25 * np.square(share - _BEST_LOAD)) * (1.0 - 0.24 * fouling)
    drop_k = efficiency * ideal_k
    heat_capacity_kj_kg_k = kappa / (kappa - 1.0) * GAS_CONSTANT_J_MOL_K / _STEAM_G_MOL
    steam_kg_s = design.rated_power_kw * (share + _LOST) / (heat_capacity_kj_kg_k * drop_k)
    enthalpy_kj_kg = (
        _STEAM_KJ_KG + _PER_K * (truth["inlet_temp_c"] - 400.0) + _PER_BAR * (truth["inlet_pressure_bar"] - 40.0)
    )
    return {
        "exhaust_temp_c": truth["inlet_temp_c"] - drop_k,
        "heat_input_kw": steam_kg_s * (enthalpy_kj_kg - _FEED_KJ_KG),
    }


def _rotor(design: TurbineDesign, share: FloatArray, faults: Severities) -> Values:
    wear, offset = accelerating(severity_of(faults, BEARING_WEAR)), severity_of(faults, MISALIGNMENT)
    healthy = design.vibration_um * (0.9 + 0.1 * share)
    return {
        "vibration_de_um": joined_rms(healthy, 175.0 * wear, 85.0 * offset),
        "vibration_nde_um": joined_rms(0.9 * healthy, 50.0 * wear, 40.0 * offset),
        "vibration_mm_s": joined_rms(0.046 * healthy, 3.0 * wear, 2.2 * offset),
        "axial_position_mm": 0.05 + 0.1 * share + 0.45 * accelerating(severity_of(faults, THRUST_BEARING_WEAR)),
    }


def _bearings(truth: Values, share: FloatArray, faults: Severities) -> tuple[FloatArray, FloatArray]:
    """Temperatures where both bearings settle: friction of the film, and the thrust that comes with the load."""
    oil_c = truth["lube_oil_temp_c"]
    worn = accelerating(severity_of(faults, BEARING_WEAR))
    radial_c = oil_c + 31.0 + 4.0 * share + 22.0 * worn + 8.0 * severity_of(faults, MISALIGNMENT)
    thrust_c = oil_c + 24.0 + 14.0 * share + 42.0 * accelerating(severity_of(faults, THRUST_BEARING_WEAR))
    return radial_c, thrust_c


TURBINE: Final = Kind(
    design=TurbineDesign,
    start=TurbineState(),
    advance=step_turbine,
    sensors=whatever_the_design(TURBINE_SENSORS),
    faults=TURBINE_FAULTS,
)
