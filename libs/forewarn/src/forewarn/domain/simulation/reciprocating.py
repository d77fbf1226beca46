"""A double-acting reciprocating compressor, from swept volume, indicator card and heat balance.

The clearance's expansion leaves ``1 − c·(r^(1/k) − 1)`` of the swept volume for fresh gas, reduced by heating and
leakage. The card's work is the ideal work of the gas drawn in over an indicated efficiency. The part that the jacket
does not remove leaves with the delivered gas: ``m·c_p·(T_2 − T_1) = P_i·(1 − j)``. So a leaking valve, whose gas is
compressed again and again, heats the rest.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import (
    GAS_CONSTANT_J_MOL_K,
    PA_PER_BAR,
    S_PER_H,
    STANDARD_ATMOSPHERE_BAR,
    ZERO_CELSIUS_K,
)
from forewarn.domain.physics.reciprocating import swept_flow_m3_h, volumetric_efficiency_pct
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
    Instant,
    Kind,
    Sensor,
    Severities,
    Values,
    Wander,
    severity_of,
)
from forewarn.domain.simulation.parts import (
    AIR_TEMP,
    ROLLING_BEARING_TEMP,
    bearing_c,
    rotor_vibration,
    whatever_the_design,
)

VALVE_LEAK: Final = "valve_leak"
RING_WEAR: Final = "ring_wear"
RIDER_RING_WEAR: Final = "rider_ring_wear"
SEAL_LEAK: Final = "seal_leak"

_DRAWN: Final = 0.93  # of the volume that clearance and pressures allow: inlet heating, throttling, leakage when new
_INDICATED_EFFICIENCY: Final = 0.88  # ideal work over the card's: the valves' throttling
_MECHANICAL_EFFICIENCY: Final = 0.95
_JACKET: Final = 0.06  # share of the card's work removed by cooling


@dataclass(frozen=True, slots=True, kw_only=True)
class ReciprocatingDesign:
    """Nameplate and installation of one compressor, or of many as arrays; cylinder as the class's default."""

    rated_speed_rpm: FloatArray | float = 750.0
    suction_pressure_bar: FloatArray | float = 3.0
    discharge_pressure_bar: FloatArray | float = 9.0
    bore_mm: FloatArray | float = 300.0
    rod_diameter_mm: FloatArray | float = 60.0
    stroke_mm: FloatArray | float = 150.0
    clearance_pct: FloatArray | float = 15.0
    isentropic_exponent: FloatArray | float = 1.4
    molar_mass_g_mol: FloatArray | float = 28.96
    vibration_mm_s: FloatArray | float = 3.2  #: Vibration of the frame when healthy at rated speed.
    bearing_time_constant_s: float = 300.0
    packing_time_constant_s: float = 200.0


RECIPROCATING_SENSORS: Final[dict[str, Sensor]] = {
    "suction_pressure_bar": Sensor(noise=0.005, resolution=0.001),
    "discharge_pressure_bar": Sensor(noise=0.012, resolution=0.002),
    "suction_temp_c": AIR_TEMP,
    "discharge_temp_c": Sensor(noise=0.25, resolution=0.05),
    "flow_m3_h": Sensor(noise=2.5, resolution=0.1),
    "speed_rpm": Sensor(noise=0.4, resolution=0.1),
    "power_kw": Sensor(noise=0.35, resolution=0.05),
    "frame_vibration_mm_s": Sensor(noise=0.08, resolution=0.01),
    "crosshead_acceleration": Sensor(noise=0.03, resolution=0.005),
    "rod_drop_mm": Sensor(noise=0.006, resolution=0.001),
    "suction_valve_temp_c": Sensor(noise=0.15, resolution=0.02),
    "discharge_valve_temp_c": Sensor(noise=0.2, resolution=0.02),
    "packing_temp_c": Sensor(noise=0.15, resolution=0.02),
    "bearing_temp_c": ROLLING_BEARING_TEMP,
}


def _truth(design: ReciprocatingDesign, instant: Instant) -> Values:
    """Compute the true values; the speed follows the demand."""
    ambient_c, faults = instant.surroundings.ambient_temp_c, instant.faults
    ratio = 0.8 + 0.2 * instant.surroundings.demand
    truth = {
        "speed_ratio": ratio,
        "speed_rpm": design.rated_speed_rpm * ratio,
        "suction_pressure_bar": design.suction_pressure_bar + instant.wander["suction_bar"],
        "discharge_pressure_bar": design.discharge_pressure_bar + instant.wander["discharge_bar"],
        "suction_temp_c": ambient_c + 6.0,
    }
    truth |= _cylinder(design, truth, faults)
    truth |= _running_gear(design, truth, faults)
    leak = severity_of(faults, SEAL_LEAK)
    return truth | {
        "bearing_temp_c": bearing_c(ambient_c + 22.0 + 18.0 * ratio, faults, worn_k=24.0),
        "packing_temp_c": 33.0 + 0.2 * truth["discharge_temp_c"] + 9.0 * ratio + 56.0 * leak,
    }


def _cylinder(design: ReciprocatingDesign, truth: Values, faults: Severities) -> Values:
    valve, rings, packing = (severity_of(faults, name) for name in (VALVE_LEAK, RING_WEAR, SEAL_LEAK))
    kappa = np.asarray(design.isentropic_exponent)
    suction_bar = truth["suction_pressure_bar"] + STANDARD_ATMOSPHERE_BAR
    pressures = (truth["discharge_pressure_bar"] + STANDARD_ATMOSPHERE_BAR) / suction_bar
    swept_m3_h = swept_flow_m3_h(
        np.asarray(design.bore_mm), np.asarray(design.rod_diameter_mm), np.asarray(design.stroke_mm), truth["speed_rpm"]
    )
    possible_pct = volumetric_efficiency_pct(pressures, kappa, np.asarray(design.clearance_pct))
    drawn_m3_h = _DRAWN * swept_m3_h * possible_pct / 100.0
    ideal_kw_per_m3_s = (
        kappa / (kappa - 1.0) * suction_bar * PA_PER_BAR / 1000.0 * (np.power(pressures, (kappa - 1.0) / kappa) - 1.0)
    )
    # gas leaking back through a valve is compressed again; gas passing the rings makes the card thinner
    card_kw = drawn_m3_h / S_PER_H * ideal_kw_per_m3_s / _INDICATED_EFFICIENCY * (1.0 + 0.14 * valve - 0.2 * rings)
    flow_m3_h = drawn_m3_h * (1.0 - 0.185 * valve) * (1.0 - 0.28 * rings) * (1.0 - 0.02 * packing)
    specific_kj_kg_k = GAS_CONSTANT_J_MOL_K / np.asarray(design.molar_mass_g_mol)
    density_kg_m3 = suction_bar * PA_PER_BAR / 1000.0 / (specific_kj_kg_k * (truth["suction_temp_c"] + ZERO_CELSIUS_K))
    capacity_kw_k = flow_m3_h / S_PER_H * density_kg_m3 * specific_kj_kg_k * kappa / (kappa - 1.0)
    rise_k = card_kw * (1.0 - _JACKET) / capacity_kw_k
    return {
        "flow_m3_h": flow_m3_h,
        "power_kw": card_kw / _MECHANICAL_EFFICIENCY,
        "discharge_temp_c": truth["suction_temp_c"] + rise_k,
        "suction_valve_temp_c": truth["suction_temp_c"] + 0.08 * rise_k,
        # the cover loses heat to the air; hot gas from a leak warms it
        "discharge_valve_temp_c": truth["suction_temp_c"] + 0.9 * rise_k + 8.0 * valve,
    }


def _running_gear(design: ReciprocatingDesign, truth: Values, faults: Severities) -> Values:
    squared = np.square(truth["speed_ratio"])  # inertia of the reciprocating masses
    return {
        "frame_vibration_mm_s": rotor_vibration(design.vibration_mm_s * squared, faults, worn=13.5),
        "crosshead_acceleration": rotor_vibration(1.2 * squared, faults, worn=1.5),
        "rod_drop_mm": 0.12 + 0.03 * truth["speed_ratio"] + 1.5 * severity_of(faults, RIDER_RING_WEAR),
    }


RECIPROCATING: Final = Kind(
    design=ReciprocatingDesign,
    wander={  # both headers
        "suction_bar": Wander(spread=0.03, memory_s=60.0),
        "discharge_bar": Wander(spread=0.08, memory_s=60.0),
    },
    truth=_truth,
    lags={"bearing_temp_c": "bearing_time_constant_s", "packing_temp_c": "packing_time_constant_s"},
    sensors=whatever_the_design(RECIPROCATING_SENSORS),
    faults=(VALVE_LEAK, RING_WEAR, RIDER_RING_WEAR, SEAL_LEAK, BEARING_WEAR),
)
