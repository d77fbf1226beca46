"""A mechanical-draught cooling tower, from Merkel's enthalpy balance.

Braun's effectiveness of the air side, driven by the saturated air's enthalpy: ``Q = eps·G·(h_s(T_h) − h_a)``, ``eps``
that of a counterflow exchanger with ``m* = G·c_s/(L·c_w)`` and ``NTU = c·(L/G)^0.4`` (ASHRAE Trans. 95/2, 1989). The
plant sets the heat, and the hot water settles where the tower rejects it. Make-up replaces evaporation and blow-down,
and restores the basin's level. Freezing is not modelled: such a tower is drained in frost.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.constants import (
    S_PER_H,
    STANDARD_ATMOSPHERE_PA,
    WATER_DENSITY_KG_M3,
    WATER_HEAT_CAPACITY_KJ_KG_K,
)
from forewarn.domain.physics.cooling_tower import evaporation_m3_h
from forewarn.domain.physics.water import vapour_pressure_pa
from forewarn.domain.simulation.dynamics import joined_rms
from forewarn.domain.simulation.machine import (
    FAN_IMBALANCE,
    Instant,
    Kind,
    Sensor,
    Severities,
    Values,
    Wander,
    accelerating,
    severity_of,
)
from forewarn.domain.simulation.parts import AIR_TEMP, alike, whatever_the_design

FILL_FOULING: Final = "fill_fouling"
GEARBOX_WEAR: Final = "gearbox_wear"

_ROUNDS: Final = 3  # Newton's steps to the hot water temperature; a fourth would move it by about a millikelvin
_START_K: Final = 5.0  # hot water above air temperature to start from
_LEVEL_PCT: Final = 70.0
_LEVEL_MEMORY_S: Final = 600.0
_NTU_EXPONENT: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerDesign:
    """Nameplate and installation of one tower, or of many as arrays."""

    rated_heat_kw: FloatArray | float = 1200.0
    water_flow_m3_h: FloatArray | float = 205.0
    air_flow_kg_s: FloatArray | float = 42.0  #: Dry air at full fan speed through a clean fill.
    transfer_coefficient: FloatArray | float = 1.9  #: ``c`` of the clean fill in ``NTU = c·(L/G)^0.4``.
    rated_fan_power_kw: FloatArray | float = 14.0
    cycles: FloatArray | float = 4.0  #: Cycles of concentration kept by the blow-down.
    makeup_conductivity_us_cm: FloatArray | float = 400.0
    basin_m3: FloatArray | float = 20.0  #: Water in the full basin.
    vibration_mm_s: FloatArray | float = 3.0
    gearbox_time_constant_s: float = 300.0


TOWER_SENSORS: Final[dict[str, Sensor]] = {
    **alike(Sensor(noise=0.04, resolution=0.01), "hot_water_temp_c", "cold_water_temp_c"),
    "water_flow_m3_h": Sensor(noise=0.7, resolution=0.1),
    "ambient_temp_c": AIR_TEMP,
    "relative_humidity_pct": Sensor(noise=0.4, resolution=0.1),
    "fan_speed_pct": Sensor(noise=0.1, resolution=0.02),
    "fan_power_kw": Sensor(noise=0.05, resolution=0.01),
    "vibration_mm_s": Sensor(noise=0.07, resolution=0.01),
    "gearbox_temp_c": Sensor(noise=0.12, resolution=0.02),
    "basin_level_pct": Sensor(noise=0.1, resolution=0.02),
    "makeup_flow_m3_h": Sensor(noise=0.03, resolution=0.01, least=0.0),  # the meter cuts off low flow
    "conductivity_us_cm": Sensor(noise=6.0, resolution=1.0),
}


def _truth(design: TowerDesign, instant: Instant) -> Values:
    surroundings, faults, wander = instant.surroundings, instant.faults, instant.wander
    truth = {
        # the pumps warm the water even when the plant does not
        "heat_kw": design.rated_heat_kw * (0.03 + 0.97 * surroundings.demand) * (1.0 + wander["heat"]),
        "fan_share": np.minimum((0.7 + 0.27 * surroundings.demand) * (1.0 + wander["fan"]), 1.0),
        "water_flow_m3_h": design.water_flow_m3_h * (1.0 + wander["flow"]),
        "ambient_temp_c": surroundings.ambient_temp_c,
        "relative_humidity_pct": np.clip(surroundings.relative_humidity_pct + wander["humidity_pct"], 15.0, 98.0),
        "basin_level_pct": _LEVEL_PCT + wander["level_pct"],
        "conductivity_us_cm": design.makeup_conductivity_us_cm * design.cycles * (1.0 + wander["salt"]),
    }
    truth |= _water_temperatures(design, truth, severity_of(faults, FILL_FOULING))
    truth |= _fan(design, truth, faults)
    truth["makeup_flow_m3_h"] = _makeup_m3_h(design, truth, wander["level_pct"])
    truth["gearbox_temp_c"] = _gearbox_c(truth, accelerating(severity_of(faults, GEARBOX_WEAR)))
    return truth


def _water_temperatures(design: TowerDesign, truth: Values, fouling: FloatArray) -> Values:
    """Return the temperatures at which the tower rejects the plant's heat."""
    air_kg_s = design.air_flow_kg_s * truth["fan_share"] * (1.0 - 0.30 * fouling)  # scale narrows the fill
    water_kg_s = truth["water_flow_m3_h"] * WATER_DENSITY_KG_M3 / S_PER_H
    clean = design.transfer_coefficient * np.power(water_kg_s / air_kg_s, _NTU_EXPONENT)
    units = clean * (1.0 - 0.71 * fouling)
    range_k = truth["heat_kw"] / (water_kg_s * WATER_HEAT_CAPACITY_KJ_KG_K)
    air_kj_kg = _enthalpy_kj_kg(truth["ambient_temp_c"], truth["relative_humidity_pct"])
    hot_c = truth["ambient_temp_c"] + _START_K
    for _ in range(_ROUNDS):
        saturated_kj_kg = _enthalpy_kj_kg(hot_c, 100.0)
        slope_kj_kg_k = (saturated_kj_kg - _enthalpy_kj_kg(hot_c - range_k, 100.0)) / range_k
        share = air_kg_s * slope_kj_kg_k / (water_kg_s * WATER_HEAT_CAPACITY_KJ_KG_K)
        lost = np.exp(-units * (1.0 - share))
        effectiveness = (1.0 - lost) / (1.0 - share * lost)
        missing_kj_kg = truth["heat_kw"] / (effectiveness * air_kg_s) - (saturated_kj_kg - air_kj_kg)
        hot_c = hot_c + missing_kj_kg / slope_kj_kg_k
    return {"hot_water_temp_c": hot_c, "cold_water_temp_c": hot_c - range_k}


def _enthalpy_kj_kg(temp_c: FloatArray, humidity_pct: FloatArray | float) -> FloatArray:
    """Return the enthalpy of moist air per kg of dry air at sea level (ASHRAE Fundamentals, ch. 1)."""
    vapour_pa = vapour_pressure_pa(temp_c) * humidity_pct / 100.0
    moisture = 0.622 * vapour_pa / (STANDARD_ATMOSPHERE_PA - vapour_pa)
    return 1.006 * temp_c + moisture * (2501.0 + 1.86 * temp_c)


def _fan(design: TowerDesign, truth: Values, faults: Severities) -> Values:
    speed = truth["fan_share"]
    # an axial fan takes more power against more resistance; a worn gearbox turns some into heat
    extra = 0.10 * severity_of(faults, FILL_FOULING) + 0.03 * accelerating(severity_of(faults, GEARBOX_WEAR))
    thrown = 17.0 * accelerating(severity_of(faults, FAN_IMBALANCE)) * np.square(speed)
    shaken = 2.5 * accelerating(severity_of(faults, GEARBOX_WEAR))
    return {
        "fan_speed_pct": 100.0 * speed,
        "fan_power_kw": design.rated_fan_power_kw * np.power(speed, 3.0) * (1.0 + extra),
        "vibration_mm_s": joined_rms(design.vibration_mm_s * np.square(speed), thrown, shaken),
    }


def _gearbox_c(truth: Values, wear: FloatArray) -> FloatArray:
    """Return the gearbox's steady temperature; it hangs in the plume, which leaves at the mean water temperature."""
    plume_c = 0.5 * (truth["hot_water_temp_c"] + truth["cold_water_temp_c"])
    return plume_c + 12.0 + 22.0 * np.square(truth["fan_share"]) + 50.0 * wear


def _makeup_m3_h(design: TowerDesign, truth: Values, level_pct: FloatArray) -> FloatArray:
    lost_m3_h = evaporation_m3_h(truth["heat_kw"]) * design.cycles / (design.cycles - 1.0)
    refill_m3_h = -level_pct / 100.0 * design.basin_m3 * S_PER_H / _LEVEL_MEMORY_S
    makeup: FloatArray = np.maximum(lost_m3_h + refill_m3_h, 0.0)
    return makeup


TOWER: Final = Kind(
    design=TowerDesign,
    wander={
        # heat and fan speed wander independently, as the fan responds to the cold water and the operator, not the heat
        "heat": Wander(spread=0.04, memory_s=120.0),
        "fan": Wander(spread=0.03, memory_s=300.0),
        "flow": Wander(spread=0.012, memory_s=180.0),
        "humidity_pct": Wander(spread=2.0, memory_s=900.0),
        "level_pct": Wander(spread=0.3, memory_s=_LEVEL_MEMORY_S),
        "salt": Wander(spread=0.02, memory_s=3600.0),
    },
    truth=_truth,
    lags={"gearbox_temp_c": "gearbox_time_constant_s"},
    sensors=whatever_the_design(TOWER_SENSORS),
    faults=(FILL_FOULING, FAN_IMBALANCE, GEARBOX_WEAR),
)
