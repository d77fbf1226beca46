"""A water-cooled centrifugal chiller, from its heat balance.

Evaporator and condenser are heat exchangers at a constant refrigerant temperature, with an approach of ``ΔT/(e^NTU −
1)``. The compressor needs Carnot's power over its efficiency for the lift between them, and the condenser rejects
cooling plus power, so that the energy balance closes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import S_PER_H, WATER_DENSITY_KG_M3, WATER_HEAT_CAPACITY_KJ_KG_K, ZERO_CELSIUS_K
from forewarn.domain.physics.water import wet_bulb_c
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
    ELECTRICAL_ISSUE,
    MISALIGNMENT,
    Instant,
    Kind,
    Sensor,
    Surroundings,
    Values,
    Wander,
    severity_of,
)
from forewarn.domain.simulation.parts import VIBRATION, WATER_TEMP, alike, rotor_vibration, whatever_the_design

TUBE_FOULING: Final = "tube_fouling"
REFRIGERANT_LEAK: Final = "refrigerant_leak"

_ROUNDS: Final = 6  # condensing temperature and power depend on each other; the fixed point contracts tenfold a round
_MOIST_AIR_C: Final = (-20.0, 50.0)  # range of the wet bulb's formula
_COLDEST_WATER_C: Final = 20.0  # the tower's fans slow down before the compressor loses its minimum lift
_KW_PER_K_AND_M3_H: Final = WATER_DENSITY_KG_M3 * WATER_HEAT_CAPACITY_KJ_KG_K / S_PER_H


@dataclass(frozen=True, slots=True, kw_only=True)
class ChillerDesign:
    """Nameplate and installation of one chiller, or of many as arrays."""

    rated_cooling_kw: FloatArray | float = 1000.0
    chw_setpoint_c: FloatArray | float = 7.0
    chw_flow_m3_h: FloatArray | float = 172.0
    cdw_flow_m3_h: FloatArray | float = 205.0
    #: Transfer units of the clean exchangers: 1.64 gives an approach of 1.2 K at 5 K.
    evaporator_ntu: FloatArray | float = 1.64
    condenser_ntu: FloatArray | float = 1.70
    carnot_share: FloatArray | float = 0.66  #: Carnot power over real power at the best part load.
    voltage_v: FloatArray | float = 400.0
    vibration_mm_s: FloatArray | float = 1.4


CHILLER_SENSORS: Final[dict[str, Sensor]] = {
    **alike(WATER_TEMP, "chw_supply_temp_c", "chw_return_temp_c", "cdw_inlet_temp_c", "cdw_outlet_temp_c"),
    "chw_flow_m3_h": Sensor(noise=0.6, resolution=0.1),
    "cdw_flow_m3_h": Sensor(noise=0.7, resolution=0.1),
    **alike(Sensor(noise=0.04, resolution=0.01), "evaporator_sat_temp_c", "condenser_sat_temp_c"),
    "power_kw": Sensor(noise=0.6, resolution=0.1),
    **alike(Sensor(noise=0.3, resolution=0.1), "current_r_a", "current_y_a", "current_b_a"),
    "vibration_mm_s": VIBRATION,
}


def _truth(design: ChillerDesign, instant: Instant) -> Values:
    """Compute the true values; the cooling tower follows the weather."""
    faults = instant.faults
    truth = _heat_balance(design, instant)
    truth |= _currents(design, truth["power_kw"], severity_of(faults, ELECTRICAL_ISSUE))
    healthy = design.vibration_mm_s * (0.8 + 0.4 * truth["load"])
    return truth | {"vibration_mm_s": rotor_vibration(healthy, faults, worn=8.6, misaligned=4.6)}


def _heat_balance(design: ChillerDesign, instant: Instant) -> Values:
    surroundings, faults = instant.surroundings, instant.faults
    leak, fouling = severity_of(faults, REFRIGERANT_LEAK), severity_of(faults, TUBE_FOULING)
    asked_kw = surroundings.demand * design.rated_cooling_kw
    capacity_kw = 1.05 * np.asarray(design.rated_cooling_kw) * (1.0 - 0.35 * leak)
    cooling_kw = np.minimum(asked_kw, capacity_kw)
    # missing capacity warms the supply: 1 K per tenth of the rated duty
    supply_c = design.chw_setpoint_c + 10.0 * (asked_kw - cooling_kw) / design.rated_cooling_kw
    chw_flow = np.asarray(design.chw_flow_m3_h) * (1.0 + instant.wander["chw_flow"])
    cdw_flow = np.asarray(design.cdw_flow_m3_h) * (1.0 + instant.wander["cdw_flow"])
    return_c = supply_c + cooling_kw / (chw_flow * _KW_PER_K_AND_M3_H)
    # less liquid leaves some evaporator tubes dry
    evaporating_c = supply_c - _approach_k(return_c - supply_c, design.evaporator_ntu * (1.0 - 0.75 * leak))

    inlet_c = _cooling_water_c(surroundings)
    load = cooling_kw / design.rated_cooling_kw
    share = design.carnot_share * (1.0 - 0.35 * np.square(load - 0.8)) * (1.0 - 0.08 * leak)
    condenser_ntu = design.condenser_ntu * (1.0 - 0.765 * fouling)
    outlet_c = condensing_c = inlet_c
    power_kw = 0.15 * cooling_kw
    for _ in range(_ROUNDS):
        outlet_c = inlet_c + (cooling_kw + power_kw) / (cdw_flow * _KW_PER_K_AND_M3_H)
        condensing_c = outlet_c + _approach_k(outlet_c - inlet_c, condenser_ntu)
        power_kw = cooling_kw * (condensing_c - evaporating_c) / (evaporating_c + ZERO_CELSIUS_K) / share
    return {
        "chw_supply_temp_c": supply_c,
        "chw_return_temp_c": return_c,
        "cdw_inlet_temp_c": inlet_c,
        "cdw_outlet_temp_c": outlet_c,
        "chw_flow_m3_h": chw_flow,
        "cdw_flow_m3_h": cdw_flow,
        "evaporator_sat_temp_c": evaporating_c,
        "condenser_sat_temp_c": condensing_c,
        "power_kw": power_kw,
        "load": load,
    }


def _cooling_water_c(surroundings: Surroundings) -> FloatArray:
    """Return the water temperature from the tower: within 1 K of a cooling tower at three quarters of its heat."""
    wet_c = wet_bulb_c(np.clip(surroundings.ambient_temp_c, *_MOIST_AIR_C), surroundings.relative_humidity_pct)
    tower_c = np.maximum(9.8 + 0.70 * wet_c, wet_c + 2.0)  # warm air absorbs more moisture: the approach shrinks
    return np.maximum(tower_c, _COLDEST_WATER_C)


def _approach_k(water_difference_k: FloatArray, ntu: FloatArray | float) -> FloatArray:
    return water_difference_k / np.expm1(ntu)


def _currents(design: ChillerDesign, power_kw: FloatArray, fault: FloatArray) -> Values:
    mean_a = power_kw * 1000.0 / (np.sqrt(3.0) * design.voltage_v * 0.9)
    # a winding with shorted turns draws more and unloads the two others
    return {
        "current_r_a": mean_a * (1.004 + 0.12 * fault),
        "current_y_a": mean_a * (0.997 - 0.07 * fault),
        "current_b_a": mean_a * (0.999 - 0.05 * fault),
    }


CHILLER: Final = Kind(
    design=ChillerDesign,
    wander=dict.fromkeys(("chw_flow", "cdw_flow"), Wander(spread=0.015, memory_s=180.0)),  # relative deviations
    truth=_truth,
    sensors=whatever_the_design(CHILLER_SENSORS),
    faults=(TUBE_FOULING, REFRIGERANT_LEAK, ELECTRICAL_ISSUE, BEARING_WEAR, MISALIGNMENT),
)
