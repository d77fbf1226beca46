"""A centrifugal compressor of one uncooled section, from its head curve and the gas laws.

Polytropic head follows ``H = H_r·(h0·n² − h1·q²)`` with q the share of the rated flow, and the plant needs ``H =
H_r·(h_s + (1 − h_s)·q²)``; the operating point is their intersection. The compression is polytropic, so head and
efficiency fix temperature and pressure at the discharge, consistent with ``physics.gas``. The power is the gas's
enthalpy rise and the bearings' loss.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.compressor import surge_flow_m3_h, surge_margin_pct
from forewarn.domain.physics.constants import (
    GAS_CONSTANT_J_MOL_K,
    PA_PER_BAR,
    S_PER_H,
    STANDARD_ATMOSPHERE_BAR,
    ZERO_CELSIUS_K,
)
from forewarn.domain.physics.gas import gas_power_kw
from forewarn.domain.simulation.dynamics import joined_rms
from forewarn.domain.simulation.machine import (
    BEARING_WEAR,
    MISALIGNMENT,
    THRUST_BEARING_WEAR,
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
    AXIAL_POSITION,
    OIL_TEMP,
    SLEEVE_BEARING_TEMP,
    VIBRATION,
    alike,
    bearing_c,
    whatever_the_design,
)

COMPRESSOR_FOULING: Final = "compressor_fouling"
SURGE: Final = "surge"

_SHUTOFF: Final = 1.2  # head at no flow over the rated head
_STATIC: Final = 0.3  # head of the plant without flow, over the rated head
_SOFT_MARGIN_PCT: Final = 5.0  # rotating stall shakes the shaft before the flow reverses
_MECHANICAL_EFFICIENCY: Final = 0.975


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressorDesign:
    """Nameplate and installation of one compressor, or of many as arrays."""

    rated_flow_m3_h: FloatArray | float = 10_000.0
    rated_head_kj_kg: FloatArray | float = 133.0
    rated_speed_rpm: FloatArray | float = 10_500.0
    best_efficiency: FloatArray | float = 0.80  #: Polytropic efficiency at the best point.
    isentropic_exponent: FloatArray | float = 1.4
    molar_mass_g_mol: FloatArray | float = 28.96
    #: One point of the surge line, as on the nameplate of class ``centrifugal_compressor``.
    surge_flow_m3_h: FloatArray | float = 7000.0
    surge_head_kj_kg: FloatArray | float = 135.0
    suction_loss_bar: FloatArray | float = 0.012  #: Pressure drop of filter and pipe at rated flow.
    vibration_um: FloatArray | float = 28.0  #: Shaft vibration of the drive end when healthy at rated speed.
    bearing_time_constant_s: float = 200.0


COMPRESSOR_SENSORS: Final[dict[str, Sensor]] = {
    "suction_pressure_bar": Sensor(noise=0.0008, resolution=0.0002),
    "discharge_pressure_bar": Sensor(noise=0.006, resolution=0.001),
    "suction_temp_c": AIR_TEMP,
    "discharge_temp_c": Sensor(noise=0.25, resolution=0.05),
    "suction_flow_m3_h": Sensor(noise=35.0, resolution=1.0),
    "speed_rpm": Sensor(noise=4.0, resolution=0.5),
    "power_kw": Sensor(noise=2.0, resolution=0.1),
    "guide_vane_pct": Sensor(noise=0.15, resolution=0.05),
    **alike(Sensor(noise=0.8, resolution=0.05), "vibration_de_um", "vibration_nde_um"),
    "vibration_mm_s": VIBRATION,
    "axial_position_mm": AXIAL_POSITION,
    **alike(SLEEVE_BEARING_TEMP, "bearing_temp_c", "thrust_bearing_temp_c"),
    "lube_oil_temp_c": OIL_TEMP,
}


def _truth(design: CompressorDesign, instant: Instant) -> Values:
    """Compute the true values; the compressor takes in outdoor air."""
    surroundings, faults = instant.surroundings, instant.faults
    truth = _operating_point(design, surroundings, instant.wander["valve"], faults)
    truth |= _gas(design, truth)
    truth |= _rotor(design, truth, faults)
    oil_c = 44.0 + 0.15 * (surroundings.ambient_temp_c - 22.0)
    squared, thrust_wear = np.square(truth["speed_ratio"]), accelerating(severity_of(faults, THRUST_BEARING_WEAR))
    return truth | {
        "lube_oil_temp_c": oil_c,
        # friction of the oil film grows with the square of the speed, thrust with the head
        "bearing_temp_c": bearing_c(oil_c + 36.0 * squared, faults, worn_k=22.0, misaligned_k=8.0),
        "thrust_bearing_temp_c": oil_c + 28.0 * squared + 13.0 * truth["head_share"] + 40.0 * thrust_wear,
    }


def _operating_point(
    design: CompressorDesign, surroundings: Surroundings, valve: FloatArray, faults: Severities
) -> Values:
    fouling, closing = severity_of(faults, COMPRESSOR_FOULING), severity_of(faults, SURGE)
    ratio = 0.88 + 0.12 * surroundings.demand  # the driver's response to demand
    vane = 0.75 + 0.25 * surroundings.demand
    # closing vanes swirl the gas, which costs head; deposits narrow the impeller's channels
    shutoff = _SHUTOFF * np.square(ratio) * (1.0 - 0.1 * (1.0 - vane)) * (1.0 - 0.05 * fouling)
    resistance = (1.0 - _STATIC) * (1.0 + valve) * (1.0 + 1.2 * closing)
    flow_share = np.sqrt((shutoff - _STATIC) / (_SHUTOFF - 1.0 + resistance))
    off_best = flow_share / ratio - 1.0
    return {
        "speed_ratio": ratio,
        "head_share": shutoff - (_SHUTOFF - 1.0) * np.square(flow_share),
        "efficiency": design.best_efficiency * (1.0 - 0.35 * np.square(off_best)) * (1.0 - 0.22 * fouling),
        "suction_flow_m3_h": design.rated_flow_m3_h * flow_share,
        "speed_rpm": design.rated_speed_rpm * ratio,
        "guide_vane_pct": 100.0 * vane,
        "suction_temp_c": surroundings.ambient_temp_c,
        "suction_pressure_bar": -design.suction_loss_bar * np.square(flow_share),
    }


def _gas(design: CompressorDesign, truth: Values) -> Values:
    """Compress polytropically: ``H = R/M·T_1·(T_2/T_1 − 1)/m`` and ``T_2/T_1 = r^m`` with ``m = (k − 1)/(k·eta)``."""
    kappa = np.asarray(design.isentropic_exponent)
    m = (kappa - 1.0) / kappa / truth["efficiency"]
    head_kj_kg = design.rated_head_kj_kg * truth["head_share"]
    specific_kj_kg_k = GAS_CONSTANT_J_MOL_K / np.asarray(design.molar_mass_g_mol)
    start_k = truth["suction_temp_c"] + ZERO_CELSIUS_K
    warming = 1.0 + head_kj_kg * m / (specific_kj_kg_k * start_k)
    suction_bar = truth["suction_pressure_bar"] + STANDARD_ATMOSPHERE_BAR
    density_kg_m3 = suction_bar * PA_PER_BAR / (1000.0 * specific_kj_kg_k * start_k)
    mass_flow_kg_s = truth["suction_flow_m3_h"] / S_PER_H * density_kg_m3
    return {
        "head_kj_kg": head_kj_kg,
        "discharge_temp_c": start_k * warming - ZERO_CELSIUS_K,
        "discharge_pressure_bar": suction_bar * np.power(warming, 1.0 / m) - STANDARD_ATMOSPHERE_BAR,
        "power_kw": gas_power_kw(mass_flow_kg_s, head_kj_kg, 100.0 * truth["efficiency"]) / _MECHANICAL_EFFICIENCY,
    }


def _rotor(design: CompressorDesign, truth: Values, faults: Severities) -> Values:
    wear, thrust_wear = (accelerating(severity_of(faults, name)) for name in (BEARING_WEAR, THRUST_BEARING_WEAR))
    line_m3_h = surge_flow_m3_h(
        truth["head_kj_kg"], np.asarray(design.surge_flow_m3_h), np.asarray(design.surge_head_kj_kg)
    )
    margin_pct = surge_margin_pct(truth["suction_flow_m3_h"], line_m3_h)
    stall = np.clip(1.0 - margin_pct / _SOFT_MARGIN_PCT, 0.0, 2.0)
    healthy = design.vibration_um * np.square(truth["speed_ratio"])
    offset = severity_of(faults, MISALIGNMENT)
    return {
        "vibration_de_um": joined_rms(healthy, 137.0 * wear, 20.0 * stall, 75.0 * offset),
        "vibration_nde_um": joined_rms(0.9 * healthy, 40.0 * wear, 20.0 * stall, 35.0 * offset),
        "vibration_mm_s": joined_rms(0.05 * healthy, 2.5 * wear, 1.5 * stall, 2.0 * offset),
        "axial_position_mm": 0.02 + 0.1 * truth["head_share"] + 0.43 * thrust_wear,
    }


COMPRESSOR: Final = Kind(
    design=CompressorDesign,
    wander={"valve": Wander(spread=0.05, memory_s=40.0)},  # the plant's resistance, a relative deviation
    truth=_truth,
    lags=dict.fromkeys(("bearing_temp_c", "thrust_bearing_temp_c"), "bearing_time_constant_s"),
    sensors=whatever_the_design(COMPRESSOR_SENSORS),
    faults=(COMPRESSOR_FOULING, BEARING_WEAR, THRUST_BEARING_WEAR, SURGE, MISALIGNMENT),
)
