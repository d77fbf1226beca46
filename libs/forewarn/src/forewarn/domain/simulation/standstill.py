"""Readings of a machine that starts, stops and stands still.

Between standstill and running each tag follows a ramp of the schedule. The powers of the ramps keep the physics rules
true on the way: flow with the speed, head with its square, power with its cube (affinity laws); heat with the product
of its causes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.simulation.chance import normal
from forewarn.domain.simulation.machine import Sensor, Values
from forewarn.domain.simulation.schedule import Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A tag's value at standstill."""

    at: float | str = 0.0  #: A value, or the name of the tag that it then equals.
    by: Literal["auxiliary", "main", "warmth"] = "main"  #: The ramp it follows.
    power: float = 1.0  #: Of the ramp.


def _same(rest: Rest, *tags: str) -> dict[str, Rest]:
    return dict.fromkeys(tags, rest)


_ALONG, _SQUARED, _CUBED = Rest(), Rest(power=2.0), Rest(power=3.0)
_SUPPLY_AT_REST_C: Final = 12.0  # the building warms the water in its pipes

#: Tags that change, by class; all others stay as they are.
STANDSTILL: Final[Mapping[str, Mapping[str, Rest]]] = MappingProxyType(
    {
        "centrifugal_pump": {
            **_same(_ALONG, "flow_m3_h", "speed_rpm"),
            "discharge_pressure_bar": Rest(at="suction_pressure_bar", power=2.0),
            **_same(_CUBED, "power_kw", "motor_current_a"),
            "vibration_mm_s": _SQUARED,
            "bearing_temp_c": Rest(at="ambient_temp_c", by="warmth"),
        },
        "chiller": {
            **_same(Rest(by="auxiliary"), "chw_flow_m3_h", "cdw_flow_m3_h"),
            **_same(Rest(at=_SUPPLY_AT_REST_C), "chw_supply_temp_c", "chw_return_temp_c", "evaporator_sat_temp_c"),
            **_same(Rest(at="cdw_inlet_temp_c"), "cdw_outlet_temp_c", "condenser_sat_temp_c"),
            **_same(_ALONG, "power_kw", "current_r_a", "current_y_a", "current_b_a"),
            "vibration_mm_s": _SQUARED,
        },
        "fan": {
            **_same(_ALONG, "flow_m3_h", "speed_rpm", "motor_speed_rpm"),
            **_same(_SQUARED, "static_pressure_pa", "filter_pressure_drop_pa", "vibration_de_mm_s"),
            "vibration_nde_mm_s": _SQUARED,
            **_same(_CUBED, "power_kw", "motor_current_a"),
            **_same(Rest(at="air_temp_c", by="warmth"), "bearing_de_temp_c", "bearing_nde_temp_c"),
        },
        "heat_exchanger": {
            "cold_flow_kg_s": Rest(by="auxiliary"),
            "tube_pressure_drop_kpa": Rest(by="auxiliary", power=1.8),
            "hot_flow_kg_s": _ALONG,
            "shell_pressure_drop_kpa": Rest(power=1.8),
            **_same(Rest(at="cold_inlet_temp_c"), "hot_inlet_temp_c", "hot_outlet_temp_c"),
            "cold_outlet_temp_c": Rest(at="cold_inlet_temp_c", power=2.0),
        },
        "electric_motor": {
            "speed_rpm": Rest(by="auxiliary"),  # started without load
            **_same(_ALONG, "current_r_a", "current_y_a", "current_b_a", "power_kw"),
            **_same(_SQUARED, "vibration_de_mm_s", "vibration_nde_mm_s"),
            **_same(
                Rest(at="ambient_temp_c", by="warmth"), "winding_temp_c", "bearing_de_temp_c", "bearing_nde_temp_c"
            ),
        },
        "centrifugal_compressor": {
            **_same(_ALONG, "suction_flow_m3_h", "speed_rpm"),
            "discharge_pressure_bar": Rest(at="suction_pressure_bar", power=3.0),
            "discharge_temp_c": Rest(at="suction_temp_c", power=2.0),
            "power_kw": _SQUARED,
            **_same(_SQUARED, "vibration_de_um", "vibration_nde_um", "vibration_mm_s"),
            **_same(Rest(at="lube_oil_temp_c", by="warmth"), "bearing_temp_c", "thrust_bearing_temp_c"),
        },
        "cooling_tower": {
            "water_flow_m3_h": Rest(by="auxiliary"),
            "hot_water_temp_c": Rest(at="cold_water_temp_c"),
            "fan_speed_pct": _ALONG,
            "fan_power_kw": _CUBED,
            "vibration_mm_s": _SQUARED,
            "makeup_flow_m3_h": _ALONG,
            "gearbox_temp_c": Rest(at="ambient_temp_c", by="warmth"),
        },
        "turbine": {
            **_same(_ALONG, "speed_rpm", "speed_b_rpm", "speed_c_rpm"),
            **_same(_CUBED, "power_kw", "heat_input_kw"),
            **_same(_SQUARED, "vibration_de_um", "vibration_nde_um", "vibration_mm_s"),
            **_same(Rest(at="lube_oil_temp_c", by="warmth"), "bearing_temp_c", "thrust_bearing_temp_c"),
        },
        "reciprocating_compressor": {
            **_same(_ALONG, "flow_m3_h", "speed_rpm", "power_kw"),
            **_same(_SQUARED, "frame_vibration_mm_s", "crosshead_acceleration"),
            # started with the bypass open: pressure and temperature rise together
            "discharge_pressure_bar": Rest(at="suction_pressure_bar", power=2.0),
            "discharge_temp_c": Rest(at="suction_temp_c"),
            **_same(Rest(at="suction_temp_c", by="warmth"), "suction_valve_temp_c", "discharge_valve_temp_c"),
            **_same(Rest(at="suction_temp_c", by="warmth"), "packing_temp_c", "bearing_temp_c"),
        },
    }
)


def at_duty(
    asset_class: str,
    columns: Values,
    ts_us: NDArray[np.int64],
    duty: Duty,
    *,
    sensors: Mapping[str, Sensor],
    seed: int,
) -> Values:
    """Turn readings of a running machine, shape (n,), into readings at ``duty``.

    Sensors keep their noise at standstill: a flow meter without flow reads a little above zero.
    """
    out = dict(columns)
    for tag, rest in STANDSTILL[asset_class].items():
        weight = np.power(getattr(duty, rest.by), rest.power)
        if (weight == 1.0).all():
            continue
        resting = out[rest.at] if isinstance(rest.at, str) else np.full(ts_us.shape, rest.at)
        sensor = sensors[tag]
        extra = sensor.noise * np.sqrt(1.0 - np.square(weight)) * normal(seed, f"standstill/{tag}", ts_us)
        value = resting + weight * (columns[tag] - resting) + extra
        value = sensor.rounded(np.abs(value) if rest.at == 0.0 else value)
        out[tag] = np.where(weight < 1.0, value, columns[tag])
    return out
