"""A belt-driven fan with backward-curved blades behind a filter, at variable speed.

The fan's static pressure follows ``p = p0·n² − a·Q²``, duct and filter need ``p_s + (k_d + k_f)·Q²``. The operating
point is their intersection; all scales with the density of the air except the controlled duct pressure ``p_s``. The fan
laws use the fan's own speed, after the slip of the belt.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import ZERO_CELSIUS_K
from forewarn.domain.physics.fan import air_power_kw, velocity_pressure_pa
from forewarn.domain.physics.motor import three_phase_power_kw
from forewarn.domain.simulation.dynamics import joined_rms
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
    FAN_IMBALANCE,
    MISALIGNMENT,
    Instant,
    Kind,
    Sensor,
    Severities,
    Surroundings,
    Values,
    Wander,
    accelerating,
    severity_of,
)
from forewarn.domain.simulation.parts import (
    AIR_TEMP,
    FAN_VIBRATION,
    ROLLING_BEARING_TEMP,
    alike,
    bearing_c,
    whatever_the_design,
)

BELT_SLIP: Final = "belt_slip"
FILTER_CLOGGING: Final = "filter_clogging"

_DENSITY_AT_20_C: Final = 1.2
_SHUTOFF: Final = 1.35  # static pressure without flow over the rated one: backward-curved blades
_KEPT: Final = 0.15  # duct pressure kept by dampers, over the rated static pressure
_BELT_EFFICIENCY: Final = 0.97  # bending and friction; slip comes on top


@dataclass(frozen=True, slots=True, kw_only=True)
class FanDesign:
    """Nameplate and installation of one fan, or of many as arrays."""

    rated_flow_m3_h: FloatArray | float = 30_000.0
    rated_static_pressure_pa: FloatArray | float = 900.0
    rated_speed_rpm: FloatArray | float = 1480.0
    belt_ratio: FloatArray | float = 1.0  #: Fan speed over motor speed without slip.
    duct_area_m2: FloatArray | float = 0.8
    #: Pressure drop of the clean filter at the rated flow; part of the rated static pressure.
    clean_filter_pa: FloatArray | float = 140.0
    best_efficiency: FloatArray | float = 0.78  #: Total efficiency of the impeller at its best point.
    motor_efficiency: FloatArray | float = 0.92
    rated_power_kw: FloatArray | float = 12.5
    voltage_v: FloatArray | float = 400.0
    vibration_mm_s: FloatArray | float = 2.0  #: Vibration of the drive end when healthy at rated speed.
    bearing_time_constant_s: float = 300.0


FAN_SENSORS: Final[dict[str, Sensor]] = {
    "flow_m3_h": Sensor(noise=100.0, resolution=1.0),
    "static_pressure_pa": Sensor(noise=3.0, resolution=0.1),
    "speed_rpm": Sensor(noise=0.7, resolution=0.1),
    "motor_speed_rpm": Sensor(noise=0.7, resolution=0.1),
    "power_kw": Sensor(noise=0.04, resolution=0.005),
    "motor_current_a": Sensor(noise=0.07, resolution=0.01),
    **alike(FAN_VIBRATION, "vibration_de_mm_s", "vibration_nde_mm_s"),
    **alike(ROLLING_BEARING_TEMP, "bearing_de_temp_c", "bearing_nde_temp_c"),
    "air_temp_c": AIR_TEMP,
    "filter_pressure_drop_pa": Sensor(noise=1.5, resolution=0.1),
}


def _truth(design: FanDesign, instant: Instant) -> Values:
    """Compute the true values; the fan moves outdoor air."""
    ambient_c, faults = instant.surroundings.ambient_temp_c, instant.faults
    wear, offset = accelerating(severity_of(faults, BEARING_WEAR)), severity_of(faults, MISALIGNMENT)
    truth = _air(design, instant.surroundings, instant.wander["damper"], faults)
    truth |= _drive(design, truth, wear)
    truth |= _vibration(design, truth, wear, offset, accelerating(severity_of(faults, FAN_IMBALANCE)))
    own_heat_k = 12.0 * truth["speed_ratio"] + 12.0 * truth["power_kw"] / design.rated_power_kw
    return truth | {
        "bearing_de_temp_c": bearing_c(ambient_c + own_heat_k, faults, worn_k=64.0, misaligned_k=12.0),
        "bearing_nde_temp_c": ambient_c + 0.8 * own_heat_k,
        "air_temp_c": ambient_c,
    }


def _air(design: FanDesign, surroundings: Surroundings, damper: FloatArray, faults: Severities) -> Values:
    """Return the operating point of fan, duct and filter."""
    drive_ratio = 0.7 + 0.3 * surroundings.demand  # the converter's response to demand
    slip = 0.012 + 0.06 * accelerating(severity_of(faults, BELT_SLIP))
    ratio = drive_ratio * (1.0 - slip)
    density_share = (20.0 + ZERO_CELSIUS_K) / (surroundings.ambient_temp_c + ZERO_CELSIUS_K)
    rated_pa = np.asarray(design.rated_static_pressure_pa)
    # dust first fills the depth of the filter, then cakes on its face
    filter_pa = design.clean_filter_pa * (1.0 + 7.0 * np.power(severity_of(faults, FILTER_CLOGGING), 1.7))
    duct_pa = ((1.0 - _KEPT) * rated_pa - design.clean_filter_pa) * (1.0 + damper)
    curve_pa = (_SHUTOFF - 1.0) * rated_pa
    free_pa = density_share * _SHUTOFF * rated_pa * np.square(ratio) - _KEPT * rated_pa
    flow_share = np.sqrt(free_pa / (density_share * (curve_pa + duct_pa + filter_pa)))
    return {
        "speed_ratio": ratio,
        "slip": slip + np.zeros_like(ratio),
        "density_kg_m3": _DENSITY_AT_20_C * density_share,
        "flow_share_of_best": flow_share / ratio,
        "flow_m3_h": design.rated_flow_m3_h * flow_share,
        "static_pressure_pa": density_share * (_SHUTOFF * rated_pa * np.square(ratio) - curve_pa * flow_share**2),
        "filter_pressure_drop_pa": density_share * filter_pa * flow_share**2,
        "motor_speed_rpm": design.rated_speed_rpm * drive_ratio / design.belt_ratio,
        "speed_rpm": design.rated_speed_rpm * ratio,
    }


def _drive(design: FanDesign, truth: Values, wear: FloatArray) -> Values:
    """Compute power from the air back to the mains: impeller, belt with its slip, motor."""
    flow = truth["flow_m3_h"]
    total_pa = truth["static_pressure_pa"] + velocity_pressure_pa(
        flow, np.asarray(design.duct_area_m2), truth["density_kg_m3"]
    )
    efficiency = design.best_efficiency * (1.0 - 0.8 * np.square(truth["flow_share_of_best"] - 1.0))
    shaft_kw = air_power_kw(flow, total_pa) / efficiency * (1.0 + 0.02 * wear)
    motor_shaft_kw = shaft_kw / (_BELT_EFFICIENCY * (1.0 - truth["slip"]))
    load = motor_shaft_kw / design.rated_power_kw
    power_kw = motor_shaft_kw / (design.motor_efficiency * (1.0 - 0.05 * np.exp(-3.0 * load)))
    power_factor = 0.87 - 0.14 * np.exp(-2.5 * load)
    per_ampere_kw = three_phase_power_kw(np.asarray(design.voltage_v), np.asarray(1.0), power_factor)
    return {"power_kw": power_kw, "motor_current_a": power_kw / per_ampere_kw}


def _vibration(design: FanDesign, truth: Values, wear: FloatArray, offset: FloatArray, imbalance: FloatArray) -> Values:
    squared = np.square(truth["speed_ratio"])  # the force of an imbalance grows with the square of the speed
    healthy = design.vibration_mm_s * squared * (1.0 + np.square(truth["flow_share_of_best"] - 1.0))
    thrown, pulled = 13.5 * imbalance * squared, 4.5 * offset * squared
    return {
        "vibration_de_mm_s": joined_rms(healthy, thrown, 4.0 * wear, pulled),
        "vibration_nde_mm_s": joined_rms(0.85 * healthy, 0.6 * thrown, 0.8 * wear, 0.5 * pulled),
    }


FAN: Final = Kind(
    design=FanDesign,
    wander={"damper": Wander(spread=0.04, memory_s=30.0)},  # the duct's resistance, a relative deviation
    truth=_truth,
    lags=dict.fromkeys(("bearing_de_temp_c", "bearing_nde_temp_c"), "bearing_time_constant_s"),
    sensors=whatever_the_design(FAN_SENSORS),
    faults=(FAN_IMBALANCE, BEARING_WEAR, BELT_SLIP, FILTER_CLOGGING, MISALIGNMENT),
)
