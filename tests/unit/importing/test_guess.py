"""Which column is which tag: names, aliases, titles, units, and what is left alone."""

import numpy as np
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.importing.guess import guess_columns, guess_roles, stated_unit
from forewarn.domain.importing.new_class import new_class

CATALOGUE = load_catalogue()
PUMP = CATALOGUE["centrifugal_pump"]


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_file_with_a_classs_own_names_needs_no_help(name):
    asset_class = CATALOGUE[name]
    guesses = guess_columns(asset_class.tag_names, asset_class)
    assert {column: guess.tag for column, guess in guesses.items()} == {tag: tag for tag in asset_class.tag_names}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_file_with_a_classs_titles_needs_no_help(name):
    asset_class = CATALOGUE[name]
    titles = {tag.title: tag.name for tag in asset_class.tags}
    assert {column: guess.tag for column, guess in guess_columns(list(titles), asset_class).items()} == titles


@pytest.mark.parametrize(
    ("column", "tag", "unit"),
    [
        ("Flow [m³/h]", "flow_m3_h", "m3/h"),
        ("Discharge Flow (gpm)", "flow_m3_h", "[gal_us]/min"),
        ("Vibration (in/s)", "vibration_mm_s", "[in_i]/s"),
        ("PLANT1/P101/FLOW", "flow_m3_h", None),
        ("P101.Discharge Pressure (psi)", "discharge_pressure_bar", "[psi]"),
        ("bearing temp °F", "bearing_temp_c", "[degF]"),
        ("Motor Power (hp)", "power_kw", "[HP]"),
        ("vibration_mm_s", "vibration_mm_s", "mm/s"),
        ("p_discharge", "discharge_pressure_bar", None),
    ],
)
def test_a_column_is_recognised_with_its_unit(column, tag, unit):
    assert {c: (g.tag, g.unit) for c, g in guess_columns([column], PUMP).items()} == {column: (tag, unit)}


@pytest.mark.parametrize("column", ["Flow setpoint (m3/h)", "Comment", "Flow (°C)", "Status", "x1"])
def test_what_is_something_else_is_left_alone(column):
    assert guess_columns([column], PUMP) == {}


@pytest.mark.parametrize("unit", ["(bara)", "[bar(a)]", "bar a", "(psia)", "kPa_abs", "(bar abs)"])
def test_an_absolute_pressure_is_not_taken_for_a_gauge_pressure(unit):
    assert not guess_columns([f"Suction pressure {unit}"], PUMP)
    assert guess_columns(["Suction pressure (bar)"], PUMP)


def test_a_tag_is_given_once_to_the_column_most_like_it():
    guesses = guess_columns(["Discharge flow (m3/h)", "flow_m3_h"], PUMP)
    assert {column: guess.tag for column, guess in guesses.items()} == {"flow_m3_h": "flow_m3_h"}


def test_roles_are_found_in_wide_long_and_split_files():
    wide = guess_roles(["Timestamp (UTC)", "Asset", "flow"])
    assert (wide.time, wide.asset, wide.tag) == (("Timestamp (UTC)",), "Asset", None)
    long = guess_roles(["Tag", "Time", "Value", "Quality"])
    assert (long.time, long.tag, long.value, long.quality) == (("Time",), "Tag", "Value", "Quality")
    assert guess_roles(["Datum", "Uhrzeit", "Wert"]).time == ("Datum", "Uhrzeit")
    assert guess_roles(["a", "b"]).time == ()


RESERVED = {"score": "tag_score", "Quality A": "tag_quality_a"}  # as the platform's own columns are called


def test_a_class_made_from_a_file_can_be_used_and_reads_that_file():
    samples = {
        "Öl-Druck [bar]": np.array([1.0, 2.0, np.nan]),
        "3rd stage": np.array([-5.0, 5.0]),
        "dead": np.array([np.nan]),
        "score": np.array([3.0, 4.0]),
        "Quality A": np.array([1.0, 2.0]),
    }
    document, mapped = new_class("press", "Press", samples)
    made = AssetClass.model_validate(document)
    assert mapped == {"Öl-Druck [bar]": "ol_druck_bar", "3rd stage": "rd_stage", **RESERVED}
    assert {tag.name: (tag.unit, tag.engineering_range) for tag in made.tags} == {
        "ol_druck_bar": ("bar", (0.5, 2.5)),
        "rd_stage": ("1", (-10.0, 10.0)),
        "tag_score": ("1", (2.5, 4.5)),
        "tag_quality_a": ("1", (0.5, 2.5)),
    }
    assert {c: g.tag for c, g in guess_columns(list(samples), made).items()} == mapped


@pytest.mark.parametrize(
    ("name", "unit"), [("a [°C]", "Cel"), ("b (furlongs)", None), ("c", None), ("d <mm/s>", "mm/s")]
)
def test_a_unit_in_a_name_is_read_in_the_words_of_the_catalogue(name, unit):
    assert stated_unit(name) == unit
