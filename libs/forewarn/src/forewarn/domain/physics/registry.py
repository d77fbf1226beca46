"""Names by which the catalogue refers to formulae (``derived.function``), with the units they take and give.

Units follow from names: ``flow_m3_h`` is in m³/h. A name without a unit at its end has no dimension.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics import (
    chiller,
    compressor,
    cooling_tower,
    effectiveness,
    energy,
    exchanger,
    fan,
    gas,
    motor,
    part_load,
    pump,
    reciprocating,
    turbine,
    vibration,
    water,
)

Function = Callable[..., FloatArray]

#: Any unit, the same for all such parameters: the formula only compares them.
ANY: Final = None

#: Unit (UCUM) by name suffix.
UNITS_BY_SUFFIX: Final[Mapping[str, str]] = MappingProxyType(
    {
        "a": "A",
        "bar": "bar",
        "c": "Cel",
        "g_mol": "g/mol",
        "hz": "Hz",
        "k": "K",
        "kg_m3": "kg/m3",
        "kg_s": "kg/s",
        "kj_kg": "kJ/kg",
        "kj_kg_k": "kJ/kg/K",
        "kj_kwh": "kJ/kW/h",
        "kn": "kN",
        "kw": "kW",
        "kw_k": "kW/K",
        "kw_m3_s": "kW.s/m3",
        "kwh_m3": "kW.h/m3",
        "m": "m",
        "m2": "m2",
        "m2_k_w": "m2.K/W",
        "m3_h": "m3/h",
        "mm": "mm",
        "mm_s": "mm/s",
        "pa": "Pa",
        "pct": "%",
        "per_ton": "kW/[ton]",
        "rpm": "1/min",
        "tons": "[ton]",
        "um": "um",
        "us_cm": "uS/cm",
        "v": "V",
        "w_m2_k": "W/m2/K",
    }
)


class UnknownFormulaError(ValueError):
    """There is no such formula; the message names the nearest one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula as the catalogue sees it."""

    name: str
    function: Function  #: Element-wise on arrays; unknown where an input is unknown.
    unit: str | None  #: Of the result (UCUM); ``ANY``: that of the parameters.
    parameters: Mapping[str, str | None]  #: Unit of each parameter; ``ANY``: any unit, the same for all of them.

    @property
    def summary(self) -> str:
        """Return the first line of its docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def parameter_problems(self, given: Iterable[str]) -> list[str]:
        """Return problems with parameter names, one line each."""
        given = list(given)
        missing = [name for name in self.parameters if name not in given]
        unknown = [name for name in given if name not in self.parameters]
        if unknown:
            return [f"{self.name} has no parameter {name!r}{nearest(name, missing)}" for name in unknown]
        return [f"{self.name} needs parameter {name!r}" for name in missing]


def formula(name: str) -> Formula:
    """Return the formula of a name; raise UnknownFormulaError, with the nearest name, without one."""
    try:
        return FORMULAE[name]
    except KeyError:
        raise UnknownFormulaError(f"no formula {name!r}{nearest(name, FORMULAE)}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint: the most similar known name, else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(known)}" if known else ""


def unit_of_name(name: str) -> str:
    """Return the unit at the end of a name; "1" without one."""
    words = name.split("_")
    suffixes = ("_".join(words[start:]) for start in range(1, len(words)))
    return next((UNITS_BY_SUFFIX[suffix] for suffix in suffixes if suffix in UNITS_BY_SUFFIX), "1")


def _formula(function: Function, *, unit: str | None = "", **parameters: str | None) -> Formula:
    names = inspect.signature(function).parameters
    return Formula(
        name=function.__name__,
        function=function,
        unit=unit_of_name(function.__name__) if unit == "" else unit,
        parameters=MappingProxyType({name: unit_of_name(name) for name in names} | parameters),
    )


_PHASES: Final[dict[str, str | None]] = {"phase_r": ANY, "phase_y": ANY, "phase_b": ANY}

_ALL: Final = (
    _formula(pump.pump_head_m),
    _formula(pump.hydraulic_power_kw),
    _formula(pump.shaft_power_kw),
    _formula(pump.share_of_best_flow_pct),
    _formula(pump.affinity_flow, unit="m3/h"),
    _formula(pump.affinity_head, unit="m"),
    _formula(pump.affinity_power, unit="kW"),
    _formula(pump.npsh_available_m),
    _formula(pump.npsh_margin_m),
    _formula(pump.npsh_margin_ratio),
    _formula(energy.efficiency_pct),
    _formula(energy.specific_energy_kwh_m3),
    _formula(energy.share_of_rated_pct, value=ANY, rated_value=ANY),
    _formula(motor.phase_imbalance_pct, **_PHASES),
    _formula(motor.mean_of_phases, unit=ANY, **_PHASES),
    _formula(motor.derating_factor),
    _formula(motor.extra_temperature_rise_pct),
    _formula(motor.synchronous_speed_rpm),
    _formula(motor.slip_pct),
    _formula(motor.three_phase_power_kw),
    _formula(motor.power_factor),
    _formula(motor.motor_load_pct),
    _formula(motor.motor_load_by_slip_pct),
    _formula(gas.pressure_ratio),
    _formula(gas.isentropic_temp_c),
    _formula(gas.isentropic_compression_efficiency_pct),
    _formula(gas.polytropic_compression_efficiency_pct),
    _formula(gas.polytropic_exponent),
    _formula(gas.polytropic_head_kj_kg),
    _formula(gas.isentropic_head_kj_kg),
    _formula(gas.gas_power_kw),
    _formula(gas.measured_gas_power_kw),
    _formula(compressor.surge_margin_pct),
    _formula(compressor.surge_flow_m3_h),
    _formula(reciprocating.volumetric_efficiency_pct),
    _formula(reciprocating.swept_flow_m3_h),
    _formula(reciprocating.measured_volumetric_efficiency_pct),
    _formula(reciprocating.rod_load_compression_kn),
    _formula(reciprocating.rod_load_tension_kn),
    _formula(reciprocating.stage_pressure_ratio),
    _formula(exchanger.heat_capacity_flow_kw_k),
    _formula(exchanger.stream_duty_kw),
    _formula(exchanger.log_mean_difference_k),
    _formula(exchanger.lmtd_counterflow_k),
    _formula(exchanger.lmtd_parallel_k),
    _formula(exchanger.least_difference_k),
    _formula(exchanger.correction_factor),
    _formula(exchanger.corrected_difference_k),
    _formula(exchanger.conductance_kw_k),
    _formula(exchanger.fouling_resistance_m2_k_w),
    _formula(exchanger.cleanliness_pct),
    _formula(exchanger.duty_imbalance_pct),
    _formula(effectiveness.capacity_ratio),
    _formula(effectiveness.effectiveness),
    _formula(effectiveness.transfer_units),
    _formula(effectiveness.effectiveness_counterflow),
    _formula(effectiveness.effectiveness_parallel),
    _formula(effectiveness.transfer_units_counterflow),
    _formula(chiller.temperature_difference_k),
    _formula(chiller.water_duty_kw),
    _formula(chiller.refrigeration_tons),
    _formula(chiller.kw_per_ton),
    _formula(chiller.coefficient_of_performance),
    _formula(chiller.second_law_efficiency_pct),
    _formula(chiller.carnot_power_kw),
    _formula(chiller.energy_efficiency_ratio, unit="[Btu_IT]/W/h"),
    _formula(chiller.evaporator_approach_k),
    _formula(chiller.condenser_approach_k),
    _formula(chiller.energy_balance_residual_pct),
    _formula(part_load.iplv_cop),
    _formula(
        part_load.iplv_kw_per_ton, **dict.fromkeys([f"kw_per_ton_at_{load}" for load in (100, 75, 50, 25)], "kW/[ton]")
    ),
    _formula(part_load.part_load_power_pct),
    _formula(part_load.part_load_kw_per_ton),
    _formula(part_load.load_pct),
    _formula(part_load.energy_balance_tolerance_pct),
    _formula(fan.fan_law_flow, unit="m3/h"),
    _formula(fan.fan_law_pressure, unit="Pa"),
    _formula(fan.fan_law_power, unit="kW"),
    _formula(fan.velocity_pressure_pa),
    _formula(fan.air_power_kw),
    _formula(fan.fan_static_efficiency_pct),
    _formula(fan.fan_total_efficiency_pct),
    _formula(fan.specific_fan_power_kw_m3_s),
    _formula(fan.belt_slip_pct),
    _formula(cooling_tower.tower_range_k),
    _formula(cooling_tower.tower_approach_k),
    _formula(cooling_tower.tower_effectiveness_pct),
    _formula(cooling_tower.evaporation_m3_h),
    _formula(cooling_tower.cycles_of_concentration),
    _formula(cooling_tower.makeup_need_m3_h),
    _formula(turbine.isentropic_expansion_efficiency_pct),
    _formula(turbine.steam_efficiency_pct),
    _formula(turbine.heat_rate_kj_kwh),
    _formula(turbine.thermal_efficiency_pct),
    _formula(vibration.vibration_zone),
    _formula(vibration.displacement_zone),
    _formula(water.vapour_pressure_pa),
    _formula(water.wet_bulb_c),
    _formula(water.dew_point_c),
)

#: Formula by name.
FORMULAE: Final[Mapping[str, Formula]] = MappingProxyType({item.name: item for item in _ALL})
