"""The files under schemas/ are what the contracts say; examples are true; published contracts only grow."""

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml
from jsonschema.validators import Draft202012Validator

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.event_codec import decode_event, encode_event
from forewarn.adapters.plant_file import example_names, load_plant
from forewarn.adapters.schema_export.compatibility import breaking_changes, missing_columns
from forewarn.adapters.schema_export.events import asset_class_schema, event_contracts, event_schema, plant_schema
from forewarn.adapters.schema_export.rendering import render
from forewarn.ports.codec import InvalidEvent
from forewarn.runtime import export_schemas

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
EXAMPLES = sorted((SCHEMAS / "examples").glob("*.v*/*.json"))
CONTRACTS = event_contracts()


def _events(path):
    """The events of an example file: one, or a list of them as readings.raw allows."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return document if isinstance(document, list) else [document]


@pytest.fixture
def copy(tmp_path):
    """A copy of schemas/ that a test may damage."""
    return shutil.copytree(SCHEMAS, tmp_path / "schemas")


# --- drift


def test_committed_files_are_what_the_contracts_say(capsys):
    assert export_schemas.main(["--check", "--directory", str(SCHEMAS)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("catalogue_order", [1, -1])
def test_rendering_depends_on_nothing_but_its_input(catalogue_order):
    classes = list(load_catalogue().items())[::catalogue_order]
    assert render(dict(classes), "1.0") == render(load_catalogue(), "1.0")


@pytest.mark.parametrize("path", ["events/reading.v1.schema.json", "asyncapi.json", "README.md"])
def test_a_changed_word_is_found(copy, capsys, path):
    text = (copy / path).read_text(encoding="utf-8")
    (copy / path).write_text(text.replace("the", "one", 1), encoding="utf-8")
    assert export_schemas.main(["--check", "--directory", str(copy)]) == 1
    assert f"changed: {path}" in capsys.readouterr().err


def test_a_missing_file_is_found(copy, capsys):
    (copy / "events/alarm.v1.schema.json").unlink()
    assert export_schemas.main(["--check", "--directory", str(copy)]) == 1
    assert "missing: events/alarm.v1.schema.json" in capsys.readouterr().err


def test_a_file_that_nothing_generates_is_found_and_removed(copy, capsys):
    stale = copy / "events/forgotten.v1.schema.json"
    stale.write_text("{}", encoding="utf-8")
    assert export_schemas.main(["--check", "--directory", str(copy)]) == 1
    assert "stale: events/forgotten.v1.schema.json" in capsys.readouterr().err
    assert export_schemas.main(["--directory", str(copy)]) == 0
    assert not stale.exists()
    assert (copy / "examples").exists()


def test_the_message_names_the_command_that_repairs(copy, capsys):
    (copy / "README.md").unlink()
    export_schemas.main(["--check", "--directory", str(copy)])
    assert "make schemas" in capsys.readouterr().err


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_schema_is_valid_json_schema_and_says_that_it_is_generated(name):
    schema = event_schema(CONTRACTS[name])
    Draft202012Validator.check_schema(schema)
    assert "GENERATED" in schema["$comment"]


def test_catalogue_files_fit_the_schema_for_editors():
    validator = Draft202012Validator(asset_class_schema())
    for asset_class in load_catalogue().values():
        validator.validate(asset_class.model_dump(mode="json"))


def test_the_plants_that_ship_fit_the_schema_for_editors():
    validator = Draft202012Validator(plant_schema())
    for name in example_names():
        validator.validate(load_plant(name).model_dump(mode="json"))
        validator.validate(yaml.safe_load((files("forewarn") / "plants" / f"{name}.yaml").read_text()))


# --- examples


def test_every_event_has_an_example_and_every_example_an_event():
    folders = {path.name for path in (SCHEMAS / "examples").iterdir() if path.name != "frames"}
    assert folders == {path.parent.name for path in EXAMPLES} == set(CONTRACTS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_example_fits_its_schema_and_survives_decoding_and_encoding(path):
    contract = CONTRACTS[path.parent.name]
    validator = Draft202012Validator(event_schema(contract))
    for event in _events(path):
        validator.validate(event)
        decoded = decode_event(contract, json.dumps(event).encode())
        encoded = encode_event(decoded)
        validator.validate(json.loads(encoded))
        assert decode_event(contract, encoded) == decoded


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_example_of_what_the_platform_writes_is_byte_for_byte_what_it_writes(path):
    contract = CONTRACTS[path.parent.name]
    for event in _events(path):
        rewritten = json.loads(encode_event(decode_event(contract, json.dumps(event).encode())))
        kept = {name: rewritten[name] for name in event if name != "ts" or path.parent.name != "reading.v1"}
        assert kept == {name: event[name] for name in kept}


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_bad_example_is_found(name):
    """Each required field in turn is taken out, and given a value of a type that no field has."""
    contract = CONTRACTS[name]
    schema = event_schema(contract)
    good = _events(next(path for path in EXAMPLES if path.parent.name == name))[0]
    for field in schema["required"]:
        without = {k: v for k, v in good.items() if k != field}
        with pytest.raises(jsonschema.ValidationError):
            Draft202012Validator(schema).validate(without)
        if field in contract.model_fields:  # a computed field is written and never read
            with pytest.raises(InvalidEvent, match=field):
                decode_event(contract, json.dumps(good | {field: [[{}]]}).encode())


# --- compatibility


def _released(folder):
    return {p.name: json.loads(p.read_text(encoding="utf-8")) for p in (SCHEMAS / "released" / folder).glob("*.json")}


def _on_main(path):
    """The file as it is on the main branch of the remote, None where there is no such branch or file."""
    shown = subprocess.run(["git", "show", f"origin/main:{path}"], cwd=ROOT, capture_output=True, check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else None


def _committed(folder):
    return {p.name: json.loads(p.read_text(encoding="utf-8")) for p in (SCHEMAS / folder).glob("*.json")}


@pytest.mark.parametrize(("folder", "compare"), [("events", breaking_changes), ("frames", missing_columns)])
def test_released_contracts_only_grow(folder, compare):
    released, present = _released(folder), _committed(folder)
    assert released, "nothing is released: python -m forewarn.runtime.export_schemas --release"
    assert released.keys() <= present.keys()
    assert {n: problems for n, old in released.items() if (problems := compare(old, present[n]))} == {}


@pytest.mark.parametrize(("folder", "compare"), [("events", breaking_changes), ("frames", missing_columns)])
def test_contracts_on_main_only_grow(folder, compare):
    present = _committed(folder)
    ancestors = {name: old for name in present if (old := _on_main(f"schemas/{folder}/{name}")) is not None}
    assert {n: problems for n, old in ancestors.items() if (problems := compare(old, present[n]))} == {}


def test_a_release_refuses_a_breaking_change(copy, capsys):
    path = copy / "released/events/reading.v1.schema.json"
    old = json.loads(path.read_text(encoding="utf-8"))
    old["properties"]["plant"] = {"type": "string"}
    path.write_text(json.dumps(old), encoding="utf-8")
    assert export_schemas.main(["--release", "--directory", str(copy)]) == 1
    assert "reading.v1.schema.json: plant: field is gone" in capsys.readouterr().err


def test_a_release_refuses_to_lose_a_contract(copy, capsys):
    (copy / "released/events/gone.v1.schema.json").write_text("{}", encoding="utf-8")
    assert export_schemas.main(["--release", "--directory", str(copy)]) == 1
    assert "gone.v1.schema.json: the contract is gone" in capsys.readouterr().err


def test_a_release_publishes_what_is_there(copy):
    shutil.rmtree(copy / "released")
    assert export_schemas.main(["--release", "--directory", str(copy)]) == 0
    for folder in ("events", "frames"):
        names = {p.name for p in (copy / folder).iterdir()}
        assert {p.name for p in (copy / "released" / folder).iterdir()} == names


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_times_are_called_date_times(name):
    """Whoever generates code from a schema gets an instant and not a text."""
    schema = json.loads((SCHEMAS / f"events/{name}.schema.json").read_text(encoding="utf-8"))
    objects = [schema, *schema.get("$defs", {}).values()]
    times = {
        field: json.dumps(about)
        for properties in (part.get("properties", {}) for part in objects)
        for field, about in properties.items()
        if field.endswith(("_at", "trained_from", "trained_to")) or field in ("ts", "at")
    }
    assert [field for field, about in times.items() if '"format": "date-time"' not in about] == []
