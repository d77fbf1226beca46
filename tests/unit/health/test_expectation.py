"""What the twin expects of indicators: of tags as it says, of derived quantities by formulae and nameplate."""

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import Phase
from forewarn.domain.frames.arrivals import timely_rows
from forewarn.domain.health.expectation import expected_indicators
from forewarn.domain.health.growth import HealthyLevel
from forewarn.domain.health.profile import class_profile, profile_of
from forewarn.domain.health.rows import observe_frame
from forewarn.testing.frames import anomaly_frame, timestamps_us

CATALOGUE = load_catalogue()


def expected(class_name, columns, profiles=None):
    asset_class = CATALOGUE[class_name]
    frame = anomaly_frame(asset_class, ["A", "A", "B"], timestamps_us(3), columns)
    return expected_indicators(frame, timely_rows(frame), profiles or [class_profile(asset_class)] * 2)


def test_of_a_response_it_is_what_the_twin_says():
    found = expected("centrifugal_pump", {"expected_vibration_mm_s": [1.5, 2.5, np.nan]})
    assert found["vibration_mm_s"] == pytest.approx([1.5, 2.5, np.nan], nan_ok=True)


def test_of_a_derived_quantity_it_is_computed_from_drivers_as_measured_and_responses_as_expected():
    found = expected(
        "chiller",
        {
            "chw_supply_temp_c": [7.0, 8.0, 9.0],
            "evaporator_sat_temp_c": 1.0,
            "expected_evaporator_sat_temp_c": 5.5,
            "expected_condenser_sat_temp_c": 36.0,
            "expected_cdw_outlet_temp_c": 34.5,
        },
    )
    assert found["evaporator_approach_k"] == pytest.approx([1.5, 2.5, 3.5])
    assert found["condenser_approach_k"] == pytest.approx([1.5, 1.5, 1.5])


def test_the_nameplate_of_each_asset_enters():
    turbine = CATALOGUE["turbine"]
    other = Asset(asset_id="B", asset_class="turbine", name="B", nameplate={"isentropic_exponent": 1.4})
    columns = {"expected_exhaust_temp_c": 500.0, "inlet_temp_c": 1100.0}
    found = expected("turbine", columns, [class_profile(turbine), profile_of(turbine, other)])
    first, second, of_other = found["expansion_efficiency_pct"]
    assert first == second
    assert abs(of_other - first) > 1.0


def test_of_what_no_response_enters_nothing_is_expected():
    assert set(expected("fan", {})) == {"vibration_de_mm_s", "bearing_de_temp_c", "filter_pressure_drop_pa"}


def test_nothing_is_expected_of_an_operating_point_that_fails():
    assert "surge_margin_pct" not in expected("centrifugal_compressor", {"expected_discharge_pressure_bar": 6.0})


def test_readings_the_twin_learned_from_tell_the_healthy_level_and_a_new_model_begins_anew():
    pump = CATALOGUE["centrifugal_pump"]
    columns = {
        "speed_rpm": 1480.0,
        "vibration_mm_s": [1.0, 3.0, 9.0, 8.0, 2.0, 2.0],
        "phase": [Phase.BASELINE] * 2 + [Phase.LIVE] * 2 + [Phase.BASELINE] * 2,
        "model_version": [1, 1, 1, 1, 2, 2],
    }

    def grown(cuts):
        states = {}
        for part in np.split(np.arange(6), cuts):
            own = {name: np.broadcast_to(value, 6)[part] for name, value in columns.items()}
            frame = anomaly_frame(pump, ["P"] * part.size, timestamps_us(6, step_s=20.0)[part], own)
            states = states | dict(observe_frame(states, frame).states)
        return states["P"].judged.growth["bearing_wear"]

    whole = grown([])
    assert whole.healthy == HealthyLevel(version=2, count=2, total=4.0)
    assert whole.regressions[0].buckets == 1
    for cuts in ([1], [4], [5], [2, 3], [1, 2, 3, 4, 5]):
        assert grown(cuts) == whole
    assert grown([3]) == whole
