"""A small class of machines and builders of batches for the guard's tests."""

from collections.abc import Mapping, Sequence

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.guard.batch import GuardResult, GuardSettings, RawBatch
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from support.raw_batches import raw_batch

S = 1_000_000
T0 = 1_790_000_000 * S

FAN = AssetClass.model_validate(
    {
        "name": "fan",
        "title": "Fan",
        "tags": [
            {
                "name": "speed_rpm",
                "title": "Speed",
                "unit": "1/min",
                "engineering_range": [0, 1500],
                "hard_range": [-10, 5000],
                "max_rate_per_s": 100,
            },
            {
                "name": "inlet_bar",
                "title": "Inlet pressure",
                "unit": "bar",
                "engineering_range": [0, 10],
                "hard_range": [-1, 100],
                "frozen_after_s": 50,
            },
            {
                "name": "outlet_bar",
                "title": "Outlet pressure",
                "unit": "bar",
                "engineering_range": [0, 20],
                "fallback": "nameplate.usual_outlet_kpa",
            },
            {"name": "power_kw", "title": "Power", "unit": "kW", "engineering_range": [0, 100]},
        ],
        "nameplate": [
            {"name": "density_kg_m3", "unit": "kg/m3", "default": 1000},
            {"name": "usual_outlet_kpa", "unit": "kPa", "default": 700},
        ],
        "derived": [
            {
                "name": "head_m",
                "title": "Head",
                "unit": "m",
                "function": "pump_head_m",
                "inputs": {
                    "suction_pressure_bar": "inlet_bar",
                    "discharge_pressure_bar": "outlet_bar",
                    "density_kg_m3": "nameplate.density_kg_m3",
                },
            }
        ],
        "rules": [
            {
                "id": "fan.pressure_rises",
                "column": "head_m",
                "minimum": 0,
                "when": {"column": "speed_rpm", "above": 100},
                "severity": "reject",
                "blames": ["inlet_bar", "outlet_bar"],
                "message": "Outlet must be above inlet",
                "recommendation": "Check wiring",
            },
            {
                "id": "fan.no_power_at_rest",
                "column": "power_kw",
                "maximum": 5,
                "when": {"column": "speed_rpm", "below": 10},
                "severity": "warning",
                "blames": ["power_kw", "speed_rpm"],
                "message": "Power at rest",
                "recommendation": "Check the pick-up",
            },
        ],
        "twin": {"responses": ["power_kw"], "running": {"column": "speed_rpm", "above": 100}},
    }
)
TAGS = FAN.tag_names

#: Three thermometers in one pocket, two flow meters in one line, and two thermometers whose difference should be zero.
LOOP = AssetClass.model_validate(
    {
        "name": "loop",
        "title": "Loop",
        "tags": [
            *(
                {
                    "name": f"temp_{which}_c",
                    "title": f"Temperature {which}",
                    "unit": "Cel",
                    "engineering_range": [0, 90],
                }
                for which in "abc"
            ),
            *(
                {"name": f"flow_{which}_m3_h", "title": f"Flow {which}", "unit": "m3/h", "engineering_range": [0, 500]}
                for which in "ab"
            ),
            {"name": "power_kw", "title": "Power", "unit": "kW", "engineering_range": [0, 100]},
        ],
        "derived": [
            {
                "name": "gap_k",
                "title": "Gap",
                "unit": "K",
                "function": "temperature_difference_k",
                "inputs": {"warm_c": "temp_a_c", "cold_c": "temp_b_c"},
            }
        ],
        "redundant": [
            {
                "id": "loop.temperatures",
                "columns": ["temp_a_c", "temp_b_c", "temp_c_c"],
                "tolerance": 1,
                "time_constant_s": 600,
                "message": "One thermometer has left the others",
                "recommendation": "Calibrate it",
            },
            {
                "id": "loop.flows",
                "columns": ["flow_a_m3_h", "flow_b_m3_h"],
                "tolerance": 2,
                "tolerance_pct": 5,
                "time_constant_s": 600,
                "when": [{"column": "power_kw", "above": 5}],
                "message": "The flow meters disagree",
                "recommendation": "Calibrate both",
            },
            {
                "id": "loop.gap",
                "columns": ["gap_k"],
                "tolerance": 3,
                "time_constant_s": 600,
                "blames": ["temp_a_c", "temp_b_c"],
                "cause": "process",
                "message": "Heat is lost",
                "recommendation": "Check the insulation",
            },
        ],
        "twin": {"responses": ["power_kw"]},
    }
)
STEADY = (60.0, 60.0, 60.0, 100.0, 100.0, 40.0)
HEALTHY = (1000.0, 1.0, 5.0, 40.0)


def batch(
    rows: Sequence[tuple[str, int, Sequence[float]]],
    *,
    quality: Mapping[tuple[int, int], int] | None = None,
    received_at: Sequence[int] | None = None,
    asset_class: AssetClass = FAN,
) -> RawBatch:
    """Rows of (asset, event time [µs], values of the class's tags)."""
    tags = len(asset_class.tags)
    codes = np.zeros((len(rows), tags), dtype=np.uint32)
    for place, code in (quality or {}).items():
        codes[place] = code
    return raw_batch(
        asset_class,
        [ts for _, ts, _ in rows],
        [values for _, _, values in rows],
        [asset for asset, _, _ in rows],
        received_at_us=received_at,
        gateway_quality=codes,
    )


def run(given: RawBatch, state: GuardState | None = None, *, strict: bool = False, **plates: dict) -> GuardResult:
    """Check one batch, by default as the first one."""
    return check(given, state or GuardState.empty(given.asset_class), GuardSettings(strict=strict), plates)


def history(values: Sequence[Sequence[float]], *, asset: str = "F1", every_s: float = 1.0) -> RawBatch:
    """Readings of one asset at even distances."""
    return batch([(asset, T0 + int(i * every_s * S), row) for i, row in enumerate(values)])


def with_tag(tag: str, value: float, base: Sequence[float] = HEALTHY) -> list[float]:
    """A reading with one value replaced."""
    row = list(base)
    row[TAGS.index(tag)] = value
    return row
