"""Classes of users that join, replace and extend the built-in ones."""

import pytest

from forewarn.adapters.catalogue import CatalogueError, load_catalogue
from unit.catalogue.catalogue_files import GOOD, KILN, refusal, write


def test_a_users_class_joins_the_built_in_ones(tmp_path):
    write(tmp_path, KILN)

    catalogue = load_catalogue(tmp_path)

    assert set(catalogue) == {*load_catalogue(), "kiln"}
    assert catalogue["kiln"].derived_names == ("head_m",)


def test_a_users_class_replaces_a_built_in_one_of_its_name(tmp_path):
    write(tmp_path, GOOD.format(name="chiller"))

    catalogue = load_catalogue(tmp_path)

    assert catalogue["chiller"].tag_names == ("temp_c", "low_bar", "high_bar")
    assert set(catalogue) == set(load_catalogue())


def test_other_files_hidden_files_and_folders_are_not_looked_at(tmp_path):
    write(tmp_path, KILN)
    write(tmp_path, "a: [", "notes.txt")
    write(tmp_path, "a: [", "._mine.yaml")  # macOS leaves such files beside copied ones
    (tmp_path / "old.yaml").mkdir()

    assert "kiln" in load_catalogue(tmp_path)


def test_one_class_in_two_files_is_refused_with_both(tmp_path):
    first, second = write(tmp_path, KILN, "a.yaml"), write(tmp_path, "# again\n" + KILN, "b.yml")

    assert refusal(tmp_path) == f"{second}:2: name: class 'kiln' is described in {first} too"


def test_a_missing_or_empty_directory_is_named(tmp_path):
    with pytest.raises(CatalogueError, match=r"CATALOGUE_PATH: .*absent is not a directory"):
        load_catalogue(tmp_path / "absent")
    with pytest.raises(CatalogueError, match=r"CATALOGUE_PATH: .* has no file \*\.yaml"):
        load_catalogue(tmp_path)


def test_a_tag_is_added_to_a_built_in_class_behind_its_own(tmp_path):
    new = "{name: oil_temp_c, title: Oil temperature, unit: Cel, engineering_range: [0, 90]}"
    write(tmp_path, f"extends: chiller\ntags:\n  - {new}\n")
    built_in = load_catalogue()["chiller"]

    chiller = load_catalogue(tmp_path)["chiller"]

    assert chiller.tag_names == (*built_in.tag_names, "oil_temp_c")
    assert chiller.derived == built_in.derived
    assert chiller.title == built_in.title


def test_what_is_extended_changes_key_by_key(tmp_path):
    write(
        tmp_path,
        """
extends: chiller
title: Our chiller
tags: [{name: power_kw, engineering_range: [0, 400], aliases: [kw]}]
twin: {baseline_readings: 2000}
alarms: [{id: condenser_approach_high, high: 3.5}]
""",
    )
    built_in = load_catalogue()["chiller"]

    chiller = load_catalogue(tmp_path)["chiller"]

    power, before = (next(tag for tag in c.tags if tag.name == "power_kw") for c in (chiller, built_in))
    assert (power.engineering_range, power.aliases, power.hard_range) == ((0, 400), ("kw",), before.hard_range)
    assert chiller.twin == built_in.twin.model_copy(update={"baseline_readings": 2000})
    alarm = next(alarm for alarm in chiller.alarms if alarm.id == "condenser_approach_high")
    assert (alarm.high, alarm.action) == (3.5, "Plan cleaning of the condenser tubes")
    assert (chiller.title, chiller.tag_names) == ("Our chiller", built_in.tag_names)


def test_redundant_sensors_are_added_and_changed_by_an_extension(tmp_path):
    write(
        tmp_path,
        """extends: turbine
tags:
  - {name: lube_oil_b_temp_c, title: Lube oil, unit: Cel, engineering_range: [0, 80]}
redundant:
  - {id: turbine.speed_sensors_agree, tolerance: 25}
  - {id: turbine.oil, columns: [lube_oil_temp_c, lube_oil_b_temp_c], tolerance: 2, time_constant_s: 600,
     message: The oil thermometers disagree, recommendation: Calibrate both}
""",
    )
    speeds, oil = load_catalogue(tmp_path)["turbine"].redundant
    assert (speeds.tolerance, len(speeds.columns)) == (25, 3)
    assert oil.columns == ("lube_oil_temp_c", "lube_oil_b_temp_c")


def test_a_new_class_is_made_of_another_one_which_stays_as_it_is(tmp_path):
    write(tmp_path, "extends: kiln\nname: big_kiln\ntitle: Big kiln\n", "a.yaml")
    write(tmp_path, KILN, "b.yaml")

    catalogue = load_catalogue(tmp_path)

    assert catalogue["big_kiln"].tags == catalogue["kiln"].tags
    assert (catalogue["big_kiln"].title, catalogue["kiln"].title) == ("Big kiln", "A class of the user")


@pytest.mark.parametrize("name", sorted(load_catalogue()))
def test_an_extension_without_changes_changes_nothing(tmp_path, name):
    write(tmp_path, f"extends: {name}\n")

    assert load_catalogue(tmp_path) == load_catalogue()


def test_a_mistake_in_an_extension_is_found_in_its_own_file_and_line(tmp_path):
    path = write(tmp_path, "extends: chiller\nalarms:\n  - id: vibration_high\n    column: vibration_mms\n")

    assert refusal(tmp_path) == (
        f"{path}:4: alarms[3].column: there is no column 'vibration_mms'; did you mean 'vibration_mm_s'?"
    )


def test_a_physics_term_that_cannot_be_computed_is_named_with_its_line(tmp_path):
    path = write(
        tmp_path, "extends: chiller\ntwin:\n  physics:\n    - {name: lift, function: carnot_power, inputs: {}}\n"
    )
    hint = "no formula 'carnot_power'; did you mean 'carnot_power_kw'?"
    assert f"{path}:4: twin.physics[0]: {hint}" in refusal(tmp_path)


def test_extending_what_does_not_exist_is_refused_with_the_nearest_class(tmp_path):
    path = write(tmp_path, "extends: chillers\nname: my_chiller\n")

    assert refusal(tmp_path) == f"{path}:1: extends: there is no class 'chillers'; did you mean 'chiller'?"


def test_classes_that_extend_each_other_are_refused(tmp_path):
    write(tmp_path, "extends: two\nname: one\n", "one.yaml")
    write(tmp_path, "extends: one\nname: two\n", "two.yaml")

    assert "classes extend each other in a circle: one → two → one" in refusal(tmp_path)
