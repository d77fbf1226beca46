"""The AsyncAPI document is valid, complete, and its references lead somewhere."""

import copy
import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from forewarn.contracts.base import Contract
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TOPICS
from support.documents import references

SCHEMAS = Path(__file__).parents[2] / "schemas"
DOCUMENT = json.loads((SCHEMAS / "asyncapi.json").read_text(encoding="utf-8"))
META_SCHEMA = json.loads((Path(__file__).parent / "data/asyncapi-3.0.0.schema.json").read_text(encoding="utf-8"))
SERVICES = {path.name for path in (SCHEMAS.parent / "services").iterdir()}
OUTSIDE = {"gateways", "import", "downstream"}


def _leads_somewhere(reference):
    if not reference.startswith("#/"):
        return (SCHEMAS / reference).is_file()
    node = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        if step not in node:
            return False
        node = node[step]
    return True


def test_it_is_valid_asyncapi():
    assert [e.message for e in Draft7Validator(META_SCHEMA).iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    "path",
    [
        ("info", "title"),
        ("channels", "readings.raw", "bindings", "kafka", "partitions"),
        ("operations", "validator.send.readings.valid", "action"),
    ],
)
def test_the_meta_schema_finds_a_wrong_document(path):
    bad = copy.deepcopy(DOCUMENT)
    node = bad
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = "nonsense" if path[-1] == "partitions" else 5
    assert not Draft7Validator(META_SCHEMA).is_valid(bad)


def test_every_reference_leads_somewhere():
    found = set(references(DOCUMENT))
    assert len(found) > len(TOPICS)
    assert [reference for reference in found if not _leads_somewhere(reference)] == []


def test_a_dangling_reference_is_found():
    assert not _leads_somewhere("#/components/messages/nobody")
    assert not _leads_somewhere("./events/nobody.v1.schema.json")


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda t: t.name.value)
def test_a_topic_has_producer_consumer_key_and_an_end_of_its_data(topic):
    assert topic.producers
    assert topic.consumers
    assert topic.key
    assert topic.description
    assert topic.cleanup == "compact" or topic.retention_ms
    assert {*topic.producers, *topic.consumers} <= SERVICES | OUTSIDE


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda t: t.name.value)
def test_a_topic_is_described_with_its_operations_and_broker_settings(topic):
    channel = DOCUMENT["channels"][topic.name.value]
    assert channel["address"] == topic.name.value
    assert channel["bindings"]["kafka"]["partitions"] == topic.partitions
    reference = {"$ref": f"#/channels/{topic.name.value}"}
    operations = {n for n, o in DOCUMENT["operations"].items() if o["channel"] == reference}
    assert operations == {
        *(f"{service}.send.{topic.name.value}" for service in topic.producers),
        *(f"{service}.receive.{topic.name.value}" for service in topic.consumers),
    }


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda t: t.name.value)
def test_a_message_says_what_it_carries(topic):
    message = DOCUMENT["components"]["messages"][
        DOCUMENT["channels"][topic.name.value]["messages"]["message"]["$ref"].rsplit("/", 1)[-1]
    ]
    if isinstance(topic.content, FrameKind):
        assert message["contentType"] == "application/vnd.apache.arrow.stream"
        assert all((SCHEMAS / path).is_file() for path in message["x-frames"])
        assert message["x-frames"]
    elif topic.content is not None:
        assert issubclass(topic.content, Contract)
        assert message["contentType"] == "application/json"
        assert ("traits" in message) == topic.cloud_events


def test_every_service_takes_part():
    named = {service for topic in TOPICS.values() for service in (*topic.producers, *topic.consumers)}
    assert named - OUTSIDE == SERVICES - {"dashboard"}, "the dashboard talks to the API only"
