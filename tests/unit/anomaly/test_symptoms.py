"""Which way a response moves when a machine fails, worked out from what its class says."""

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.anomaly.symptoms import DOWN, UP, symptoms_of
from forewarn.domain.physics.derive import derive
from unit.anomaly.cases import WATCHED
from unit.catalogue.operating_points import HEALTHY
from unit.twin.cases import COUPLED, DRIVEN

CATALOGUE = load_catalogue()


def symptom(asset_class, response):
    found = symptoms_of(CATALOGUE[asset_class])[:, CATALOGUE[asset_class].twin.responses.index(response)]
    return {name for name, row in (("falls", DOWN), ("rises", UP)) if found[row]}


def test_a_class_that_watches_nothing_has_no_symptoms():
    assert not symptoms_of(DRIVEN).any()


def test_without_drivers_every_response_can_be_moved_by_the_process():
    assert symptoms_of(COUPLED).all()


def test_a_limit_says_which_way_is_bad_and_tags_of_its_unit_are_bad_the_same_way():
    assert symptoms_of(WATCHED)[UP].tolist() == [False, True, False, True]
    assert not symptoms_of(WATCHED)[DOWN].any()


@pytest.mark.parametrize(
    ("asset_class", "response", "moves"),
    [
        ("centrifugal_pump", "discharge_pressure_bar", {"falls"}),  # less efficiency
        ("centrifugal_pump", "vibration_mm_s", {"rises"}),
        ("centrifugal_pump", "bearing_temp_c", {"rises"}),
        ("centrifugal_pump", "motor_current_a", set()),
        ("chiller", "evaporator_sat_temp_c", {"falls"}),  # a larger evaporator approach
        ("chiller", "condenser_sat_temp_c", {"rises"}),
        ("chiller", "current_r_a", {"falls", "rises"}),  # either is an imbalance
        ("heat_exchanger", "hot_outlet_temp_c", {"rises"}),  # though its rated conductance is not stated
        ("turbine", "vibration_mm_s", {"rises"}),  # without any limit of its own
        ("fan", "bearing_nde_temp_c", {"rises"}),  # as the other bearing's
        ("reciprocating_compressor", "flow_m3_h", {"falls"}),
    ],
)
def test_symptoms_are_those_an_engineer_names(asset_class, response, moves):
    assert symptom(asset_class, response) == moves


@pytest.mark.parametrize("name", sorted(HEALTHY))
def test_the_indicator_of_a_failure_mode_follows_its_symptoms_at_a_usual_operating_point(name):
    asset_class, point = CATALOGUE[name], HEALTHY[name]
    columns = {tag: np.full(2, point.get(tag, np.nan)) for tag in asset_class.tag_names}
    plate = {item.name: item.default or 1.0 for item in asset_class.nameplate}
    for place, response in enumerate(asset_class.twin.responses):
        raised = columns | {response: columns[response] * np.array([1.0, 1.001])}
        derived = derive(asset_class, raised, plate)
        for rule in asset_class.alarms:
            if rule.column in derived and not np.isnan(change := float(np.diff(derived[rule.column])[0])) and change:
                bad = (change > 0) == (rule.high is not None)
                assert symptoms_of(asset_class)[UP if bad else DOWN, place], (response, rule.column)
