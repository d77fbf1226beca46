"""The committed OpenAPI document is the API's, and is sound."""

import json
from pathlib import Path

import jsonschema
import pytest

from forewarn.contracts.readings import Reading
from forewarn_api.bodies import wire_form
from forewarn_api.export_openapi import main, render
from support.documents import references

COMMITTED = Path(__file__).parents[2] / "schemas" / "openapi.json"


@pytest.fixture(scope="module")
def document():
    return json.loads(render())


def test_the_committed_document_is_up_to_date():
    assert COMMITTED.read_text(encoding="utf-8") == render(), "run `python -m forewarn_api.export_openapi`"


def test_the_check_notices_a_missing_and_a_changed_document(tmp_path, capsys):
    file = tmp_path / "openapi.json"
    assert main(["--check", "--file", str(file)]) == 1
    assert main(["--file", str(file)]) == 0
    assert main(["--check", "--file", str(file)]) == 0
    file.write_text(file.read_text().replace("Stored by the broker", "Perhaps stored by the broker"))
    assert main(["--check", "--file", str(file)]) == 1
    assert "differs" in capsys.readouterr().err


def test_every_reference_leads_somewhere(document):
    for reference in set(references(document)):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def test_operation_ids_are_unique(document):
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids)) > 20


def test_the_ingest_examples_are_valid_readings(document):
    content = document["paths"]["/api/v1/readings"]["post"]["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": document["components"]}
    for example in content["examples"].values():
        jsonschema.validate(example["value"], schema)
        for reading in example["value"] if isinstance(example["value"], list) else [example["value"]]:
            found = Reading.model_validate_json(json.dumps(reading), strict=True)
            assert Reading.model_validate_json(wire_form(found)) == found
