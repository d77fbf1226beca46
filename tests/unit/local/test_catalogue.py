"""``forewarn catalogue check``: what the author of a class sees."""

import pytest
from typer.testing import CliRunner

from forewarn.adapters.catalogue import load_catalogue
from forewarn_local.cli import app

SHIPPED = load_catalogue()
KILN = """\
name: kiln
title: Kiln
tags:
  - {name: kiln_temp, title: Temperature, unit: UNIT, engineering_range: [0, 1200]}
  - {name: fuel_kw, title: Fuel, unit: kW, engineering_range: [0, 900]}
twin: {responses: [kiln_temp]}
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No home and no settings but the test's own."""
    (tmp_path / ".forewarn").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CATALOGUE_PATH", raising=False)
    monkeypatch.delenv("FOREWARN_HOME", raising=False)


@pytest.fixture
def classes(tmp_path):
    """A directory for own classes."""
    directory = tmp_path / "classes"
    directory.mkdir()
    return directory


def check(*arguments):
    return CliRunner().invoke(app, ["catalogue", "check", *map(str, arguments)])


def rows(output):
    """Class → numbers of its line."""
    return {line.split()[0]: line.split()[1:] for line in output.splitlines()[2:]}


def test_without_own_classes_it_lists_those_that_ship_with_their_sizes():
    result = check()
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == f"{len(SHIPPED)} classes, no problems"
    assert result.output.splitlines()[1].split() == ["class", "tags", "derived", "rules", "alarms"]
    assert rows(result.output) == {
        name: [str(len(part)) for part in (its.tags, its.derived, its.rules, its.alarms)]
        for name, its in SHIPPED.items()
    }


def test_an_own_class_joins_the_list(classes):
    (classes / "kiln.yaml").write_text(KILN.replace("UNIT", "Cel"))
    result = check(classes)
    assert result.exit_code == 0
    assert result.output.startswith(f"{len(SHIPPED) + 1} classes, no problems\n")
    assert rows(result.output)["kiln"] == ["2", "0", "0", "0"]


def test_every_problem_is_told_with_file_line_and_key_and_the_exit_code_is_1(classes):
    path = classes / "kiln.yaml"
    path.write_text(KILN.replace("UNIT", "°C").replace("[kiln_temp]", "[kiln_tmp]"), encoding="utf-8")
    result = check(classes)
    assert result.exit_code == 1
    assert result.output == (
        "✗ 2 problems in the catalogue:\n"
        f"  {path}:4: tags[0].unit: unit '°C' is not known; did you mean Cel?\n"
        f"  {path}:6: twin.responses[0]: there is no column 'kiln_tmp'; did you mean 'kiln_temp'?\n"
    )


@pytest.mark.parametrize("where", ["environment", "file"])
def test_without_a_directory_it_looks_where_the_services_look(classes, tmp_path, monkeypatch, where):
    (classes / "kiln.yaml").write_text(KILN.replace("UNIT", "Cel"))
    if where == "file":
        (tmp_path / ".env").write_text("CATALOGUE_PATH=classes\n")
    else:
        monkeypatch.setenv("CATALOGUE_PATH", "classes")
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert "kiln" in rows(check().output)


def test_a_directory_without_classes_is_a_problem(classes):
    result = check(classes)
    assert result.exit_code == 1
    assert f"{classes} has no file *.yaml or *.yml" in result.output


def test_a_directory_that_is_not_there_is_a_mistake_of_the_command_line(tmp_path):
    result = check(tmp_path / "absent")
    assert result.exit_code == 2
    assert "does not exist" in " ".join(result.output.replace("│", " ").split())  # the message is in a box
