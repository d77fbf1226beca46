"""A back-pressure steam turbine under a governor, from its enthalpy balance.

The steam expands as an ideal gas (an exponent of 1.3 is within a few points for superheated steam), with an isentropic
efficiency that falls off the best load. The governor admits the steam that the load needs: ``m·c_p·(T_1 − T_2) = P +
losses``. The heat put in is that steam's enthalpy above the feed water's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import GAS_CONSTANT_J_MOL_K, STANDARD_ATMOSPHERE_BAR
from forewarn.domain.physics.gas import isentropic_temp_c
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
    MISALIGNMENT,
    THRUST_BEARING_WEAR,
    Instant,
    Kind,
    Sensor,
    Severities,
    Values,
    Wander,
    accelerating,
    severity_of,
)
from forewarn.domain.simulation.parts import (
    AIR_TEMP,
    AXIAL_POSITION,
    OIL_TEMP,
    SLEEVE_BEARING_TEMP,
    VIBRATION,
    alike,
    bearing_c,
    rotor_vibration,
    whatever_the_design,
)

BLADE_FOULING: Final = "blade_fouling"

_STEAM_G_MOL: Final = 18.015
_BEST_LOAD: Final = 0.95
_LOST: Final = 0.03  # bearings, gear and generator over the rated power, at any load
#: Enthalpy of steam at 41 bar absolute and 400 °C, and its slopes there (IAPWS-IF97); feed water at 105 °C.
_STEAM_KJ_KG, _PER_K, _PER_BAR, _FEED_KJ_KG = 3211.0, 2.34, -1.8, 440.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurbineDesign:
    """Nameplate and installation of one turbine, or of many as arrays."""

    rated_power_kw: FloatArray | float = 5000.0
    speed_rpm: FloatArray | float = 6000.0
    best_efficiency: FloatArray | float = 0.76  #: Isentropic efficiency at 95 % load.
    isentropic_exponent: FloatArray | float = 1.3
    inlet_pressure_bar: FloatArray | float = 40.0
    inlet_temp_c: FloatArray | float = 400.0
    exhaust_pressure_bar: FloatArray | float = 4.0
    vibration_um: FloatArray | float = 35.0  #: Shaft vibration of the drive end when healthy.
    bearing_time_constant_s: float = 200.0


TURBINE_SENSORS: Final[dict[str, Sensor]] = {
    "speed_rpm": Sensor(noise=1.0, resolution=0.1),
    "power_kw": Sensor(noise=10.0, resolution=1.0),
    "inlet_pressure_bar": Sensor(noise=0.04, resolution=0.01),
    "inlet_temp_c": Sensor(noise=0.3, resolution=0.05),
    "exhaust_pressure_bar": Sensor(noise=0.006, resolution=0.001),
    "exhaust_temp_c": Sensor(noise=0.25, resolution=0.05),
    "heat_input_kw": Sensor(noise=90.0, resolution=5.0),
    **alike(Sensor(noise=0.9, resolution=0.05), "vibration_de_um", "vibration_nde_um"),
    "vibration_mm_s": VIBRATION,
    "axial_position_mm": AXIAL_POSITION,
    **alike(SLEEVE_BEARING_TEMP, "bearing_temp_c", "thrust_bearing_temp_c"),
    "lube_oil_temp_c": OIL_TEMP,
    "ambient_temp_c": AIR_TEMP,
    **alike(Sensor(noise=1.0, resolution=0.1), "speed_b_rpm", "speed_c_rpm"),
}


def _truth(design: TurbineDesign, instant: Instant) -> Values:
    surroundings, faults, wander = instant.surroundings, instant.faults, instant.wander
    share = (0.45 + 0.55 * surroundings.demand) * (1.0 + wander["load"])
    truth = {
        "speed_rpm": design.speed_rpm * (1.0 + wander["speed"]),
        "power_kw": design.rated_power_kw * share,
        "inlet_pressure_bar": design.inlet_pressure_bar + wander["inlet_bar"],
        "inlet_temp_c": design.inlet_temp_c + wander["inlet_k"],
        "exhaust_pressure_bar": design.exhaust_pressure_bar + wander["exhaust_bar"],
        "ambient_temp_c": surroundings.ambient_temp_c,
        "lube_oil_temp_c": 46.0 + 0.15 * (surroundings.ambient_temp_c - 22.0),
    }
    truth |= dict.fromkeys(("speed_b_rpm", "speed_c_rpm"), truth["speed_rpm"])
    truth |= _expansion(design, truth, share, severity_of(faults, BLADE_FOULING))
    return truth | _rotor(design, truth, share, faults)


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


def _rotor(design: TurbineDesign, truth: Values, share: FloatArray, faults: Severities) -> Values:
    """Return vibration and steady bearing temperatures: friction of the film, and the thrust of the load."""
    healthy, oil_c = design.vibration_um * (0.9 + 0.1 * share), truth["lube_oil_temp_c"]
    thrust_wear = accelerating(severity_of(faults, THRUST_BEARING_WEAR))
    return {
        "vibration_de_um": rotor_vibration(healthy, faults, worn=175.0, misaligned=85.0),
        "vibration_nde_um": rotor_vibration(0.9 * healthy, faults, worn=50.0, misaligned=40.0),
        "vibration_mm_s": rotor_vibration(0.046 * healthy, faults, worn=3.0, misaligned=2.2),
        "axial_position_mm": 0.05 + 0.1 * share + 0.45 * thrust_wear,
        "bearing_temp_c": bearing_c(oil_c + 31.0 + 4.0 * share, faults, worn_k=22.0, misaligned_k=8.0),
        "thrust_bearing_temp_c": oil_c + 24.0 + 14.0 * share + 42.0 * thrust_wear,
    }


TURBINE: Final = Kind(
    design=TurbineDesign,
    wander={  # load and speed (relative), and the steam
        "load": Wander(spread=0.015, memory_s=40.0),
        "speed": Wander(spread=0.001, memory_s=30.0),
        "inlet_bar": Wander(spread=0.3, memory_s=120.0),
        "inlet_k": Wander(spread=2.0, memory_s=240.0),
        "exhaust_bar": Wander(spread=0.04, memory_s=120.0),
    },
    truth=_truth,
    lags=dict.fromkeys(("bearing_temp_c", "thrust_bearing_temp_c"), "bearing_time_constant_s"),
    sensors=whatever_the_design(TURBINE_SENSORS),
    faults=(BLADE_FOULING, BEARING_WEAR, THRUST_BEARING_WEAR, MISALIGNMENT),
)
