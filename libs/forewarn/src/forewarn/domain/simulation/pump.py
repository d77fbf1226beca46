"""A variable-speed centrifugal pump in a plant, from its curves.

Head follows ``H = H0·n² − a·Q²`` and the plant needs ``H = H_s + k·Q²``; the operating point is their intersection.
Efficiency is a parabola around the best-efficiency point that moves with the speed (affinity), the motor's losses are a
fixed and a load part, the bearing follows its load with a thermal lag.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import GRAVITY_M_S2, PA_PER_BAR, STANDARD_ATMOSPHERE_PA
from forewarn.domain.physics.pump import affinity_head, hydraulic_power_kw, npsh_available_m
from forewarn.domain.physics.water import vapour_pressure_pa
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
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
from forewarn.domain.simulation.parts import AIR_TEMP, FAN_VIBRATION, ROLLING_BEARING_TEMP, bearing_c

IMPELLER_WEAR: Final = "impeller_wear"
CAVITATION: Final = "cavitation"

_DEEPEST_SUCTION_BAR: Final = -0.97  # the water boils before the pressure falls further
_SHUTOFF_HEAD: Final = 1.25  # head at no flow over rated head: typical radial impeller
_NPSH_REQUIRED_M: Final = 4.0  # at rated flow; grows with the square of the flow
_NPSH_SOFT_MARGIN_M: Final = 1.0  # cavitation starts well before the 3 % head drop that defines NPSH3


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpDesign:
    """Nameplate and installation of one pump, or of many as arrays."""

    rated_flow_m3_h: FloatArray | float = 120.0
    rated_head_m: FloatArray | float = 45.0
    rated_speed_rpm: FloatArray | float = 1480.0
    best_efficiency: FloatArray | float = 0.79
    motor_efficiency: FloatArray | float = 0.93
    voltage_v: FloatArray | float = 400.0
    static_share: FloatArray | float = 0.3  #: Static head of the plant over the rated head.
    suction_pressure_bar: FloatArray | float = 1.0
    density_kg_m3: FloatArray | float = 998.0
    bearing_time_constant_s: FloatArray | float = 300.0  #: Thermal lag of the bearing.
    vibration_mm_s: FloatArray | float = 1.5  #: Vibration when healthy at rated speed.

    @property
    def rated_shaft_power_kw(self) -> FloatArray:
        """Return the shaft power at the rated point."""
        useful = hydraulic_power_kw(
            np.asarray(self.rated_flow_m3_h), np.asarray(self.rated_head_m), np.asarray(self.density_kg_m3)
        )
        return useful / self.best_efficiency


def pump_sensors(design: PumpDesign) -> dict[str, Sensor]:
    """Return sensors sized for the machine: their noise is a share of the rated value."""
    pressure_bar = np.asarray(design.rated_head_m) * design.density_kg_m3 * GRAVITY_M_S2 / PA_PER_BAR
    power_kw = design.rated_shaft_power_kw / design.motor_efficiency
    current_a = power_kw * 1000.0 / (np.sqrt(3.0) * design.voltage_v * 0.87)
    return {
        "flow_m3_h": Sensor(noise=0.0025 * np.asarray(design.rated_flow_m3_h), resolution=0.02),
        "suction_pressure_bar": Sensor(noise=0.006, resolution=0.001),
        "discharge_pressure_bar": Sensor(noise=0.0025 * pressure_bar, resolution=0.002),
        "speed_rpm": Sensor(noise=0.0005 * np.asarray(design.rated_speed_rpm), resolution=0.1),
        "power_kw": Sensor(noise=0.003 * power_kw, resolution=0.01),
        "motor_current_a": Sensor(noise=0.003 * current_a, resolution=0.01),
        "vibration_mm_s": FAN_VIBRATION,
        "bearing_temp_c": ROLLING_BEARING_TEMP,
        "fluid_temp_c": Sensor(noise=0.05, resolution=0.01),
        "ambient_temp_c": AIR_TEMP,
    }


def _truth(design: PumpDesign, instant: Instant) -> Values:
    surroundings, faults = instant.surroundings, instant.faults
    wear, offset = accelerating(severity_of(faults, BEARING_WEAR)), severity_of(faults, MISALIGNMENT)
    truth = _hydraulics(design, surroundings, instant.wander["valve"], faults)
    shaft_share = truth["shaft_kw"] / design.rated_shaft_power_kw
    motor_efficiency = design.motor_efficiency * (1.0 - 0.04 * np.exp(-3.0 * shaft_share))
    power_kw = truth["shaft_kw"] * (1.0 + 0.04 * wear) / motor_efficiency
    power_factor = 0.88 - 0.12 * np.exp(-2.5 * shaft_share)
    own_heat_k = 10.0 * truth["speed_ratio"] + 18.0 * shaft_share
    return truth | {
        "power_kw": power_kw,
        "motor_current_a": power_kw * 1000.0 / (np.sqrt(3.0) * design.voltage_v * power_factor),
        "vibration_mm_s": _vibration(design, truth, wear, offset),
        "bearing_temp_c": bearing_c(surroundings.ambient_temp_c + own_heat_k, faults, worn_k=45.0, misaligned_k=12.0),
        "fluid_temp_c": 14.0 + 0.2 * surroundings.ambient_temp_c,
        "ambient_temp_c": surroundings.ambient_temp_c,
    }


def _hydraulics(design: PumpDesign, surroundings: Surroundings, valve: FloatArray, faults: Severities) -> Values:
    impeller = severity_of(faults, IMPELLER_WEAR)
    clogging = severity_of(faults, CAVITATION)
    ratio = 0.72 + 0.28 * surroundings.demand  # the drive's response to demand
    curve = (_SHUTOFF_HEAD - 1.0) * design.rated_head_m / np.square(design.rated_flow_m3_h)
    static_m = design.static_share * np.asarray(design.rated_head_m)
    resistance = (design.rated_head_m - static_m) / np.square(design.rated_flow_m3_h) * (1.0 + valve)
    shutoff_m = affinity_head(_SHUTOFF_HEAD * np.asarray(design.rated_head_m), ratio) * (1.0 - 0.22 * impeller)

    flow = np.sqrt(np.maximum(shutoff_m - static_m, 0.0) / (curve + resistance))
    flow_share = flow / design.rated_flow_m3_h
    suction_bar = design.suction_pressure_bar - (0.15 + 2.2 * clogging) * np.square(flow_share)
    suction_bar = np.maximum(suction_bar, _DEEPEST_SUCTION_BAR)
    collapse = _cavitation(design, surroundings, suction_bar, flow_share)
    flow = flow * (1.0 - 0.08 * collapse)
    head = (shutoff_m - curve * np.square(flow)) * (1.0 - 0.10 * collapse)

    share_of_best = flow / (design.rated_flow_m3_h * ratio)
    efficiency = design.best_efficiency * (1.0 - np.square(share_of_best - 1.0)) * (1.0 - 0.40 * impeller)
    density = np.asarray(design.density_kg_m3)
    useful_kw = hydraulic_power_kw(flow, head, density)
    return {
        "flow_m3_h": flow,
        "suction_pressure_bar": suction_bar,
        "discharge_pressure_bar": suction_bar + head * density * GRAVITY_M_S2 / PA_PER_BAR,
        "speed_rpm": design.rated_speed_rpm * ratio,
        "speed_ratio": ratio,
        "shaft_kw": useful_kw / (efficiency * (1.0 - 0.05 * collapse)),
        "share_of_best": share_of_best,
        "collapse": collapse,
        "impeller": np.broadcast_to(impeller, flow.shape),
    }


def _cavitation(
    design: PumpDesign, surroundings: Surroundings, suction_bar: FloatArray, flow_share: FloatArray
) -> FloatArray:
    """Return the cavitation, 0–1, from the margin of available over required NPSH."""
    available = npsh_available_m(
        STANDARD_ATMOSPHERE_PA + suction_bar * PA_PER_BAR,
        vapour_pressure_pa(14.0 + 0.2 * surroundings.ambient_temp_c),
        np.asarray(design.density_kg_m3),
        np.asarray(0.0),
        np.asarray(0.0),
    )
    margin = available - _NPSH_REQUIRED_M * np.square(flow_share)
    return np.clip(1.0 - margin / _NPSH_SOFT_MARGIN_M, 0.0, 1.0)


def _vibration(design: PumpDesign, truth: Values, wear: FloatArray, offset: FloatArray) -> FloatArray:
    healthy = design.vibration_mm_s * np.square(truth["speed_ratio"]) * (1.0 + np.square(truth["share_of_best"] - 1.0))
    shaken = 4.2 * offset * np.square(truth["speed_ratio"])
    return healthy + 7.0 * wear + 4.0 * truth["collapse"] + 0.9 * truth["impeller"] + shaken


PUMP: Final = Kind(
    design=PumpDesign,
    wander={"valve": Wander(spread=0.04, memory_s=30.0)},  # the plant's resistance, a relative deviation
    truth=_truth,
    lags={"bearing_temp_c": "bearing_time_constant_s"},
    sensors=pump_sensors,
    faults=(BEARING_WEAR, IMPELLER_WEAR, CAVITATION, MISALIGNMENT),
)

#: Tags of a pump, in the order of class ``centrifugal_pump``.
PUMP_TAGS: Final = tuple(pump_sensors(PumpDesign()))
