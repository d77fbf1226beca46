"""Catalogue files of users: what is wrong is said with file and place, before the first reading comes."""

from pathlib import Path

import pytest

from forewarn.adapters.catalogue import CatalogueError, load_catalogue

GOOD = """
name: {name}
title: A class of the user
tags: [{{name: temp_c, title: Temperature, unit: Cel, engineering_range: [0, 100]}}]
twin: {{responses: [temp_c]}}
"""


def write(directory: Path, text: str) -> Path:
    path = directory / "mine.yaml"
    path.write_text(text)
    return path


def test_a_users_class_joins_the_built_in_ones(tmp_path):
    write(tmp_path, GOOD.format(name="kiln"))

    catalogue = load_catalogue(tmp_path)

    assert {"kiln", "centrifugal_pump", "chiller", "pump_loop"} <= set(catalogue)


def test_a_users_class_replaces_a_built_in_one_of_its_name(tmp_path):
    write(tmp_path, GOOD.format(name="chiller"))

    assert load_catalogue(tmp_path)["chiller"].tag_names == ("temp_c",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "not valid YAML"),
        ("", "document"),
        (GOOD.format(name="Not A Name"), "name"),
        (GOOD.format(name="kiln") + "colour: red\n", "colour"),
        (GOOD.format(name="kiln").replace("[0, 100]", "[100, 0]"), "engineering_range"),
        (GOOD.format(name="kiln").replace("responses: [temp_c]", "responses: [nothing]"), "nothing"),
        (
            GOOD.format(name="kiln")
            + "derived: [{name: x, title: X, unit: '1', function: no_such_formula, inputs: {a: temp_c}}]\n",
            "no_such_formula",
        ),
    ],
)
def test_a_broken_file_is_refused_with_file_and_place(tmp_path, text, complaint):
    path = write(tmp_path, text)

    with pytest.raises(CatalogueError, match=complaint) as refusal:
        load_catalogue(tmp_path)

    assert str(path) in str(refusal.value)


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(CatalogueError, match="CATALOGUE_PATH"):
        load_catalogue(tmp_path / "absent")
