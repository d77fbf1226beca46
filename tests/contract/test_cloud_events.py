"""CloudEvents 1.0 headers in Kafka binary mode."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from forewarn.adapters.event_codec import Envelope, cloud_event_headers, event_type, header
from forewarn.adapters.schema_export.asyncapi import asyncapi_document
from forewarn.adapters.schema_export.events import event_contracts
from forewarn.contracts.assets import Asset
from forewarn.contracts.topics import TOPICS

ASSET = Asset(asset_id="P-101", asset_class="centrifugal_pump", name="Feed pump")
HEADERS_SCHEMA = asyncapi_document({}, "1")["components"]["messageTraits"]["cloudEvent"]["headers"]


@given(
    identity=st.text(min_size=1, max_size=60),
    source=st.from_regex(r"/forewarn/[a-z]{1,12}", fullmatch=True),
    at=st.datetimes(
        min_value=datetime(2000, 1, 1),  # hypothesis adds the zone
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]),
    ),
    key=st.text(min_size=1, max_size=60),
)
def test_headers_survive_the_wire_and_fit_the_published_schema(identity, source, at, key):
    envelope = Envelope(id=identity, source=source, time=at, partition_key=key)
    headers = cloud_event_headers(ASSET, envelope)
    read = {name: header(headers, name) for name, _ in headers}
    assert (read["ce_id"], read["ce_source"], read["ce_partitionkey"]) == (identity, source, key)
    assert datetime.fromisoformat(read["ce_time"]) == at
    Draft202012Validator(HEADERS_SCHEMA).validate(read)


def test_a_header_that_is_not_there_is_none():
    assert header(None, "ce_id") is None
    assert header([("ce_id", None)], "ce_id") is None


def test_a_header_that_is_not_text_is_read_without_an_error():
    assert header([("ce_id", b"\xff")], "ce_id") == "�"


@pytest.mark.parametrize("missing", ["ce_id", "ce_source", "ce_type", "ce_specversion"])
def test_the_schema_finds_a_missing_attribute(missing):
    envelope = Envelope(id="1", source="/x", time=datetime(2026, 1, 1, tzinfo=UTC), partition_key="k")
    headers = {name: value.decode() for name, value in cloud_event_headers(ASSET, envelope) if name != missing}
    assert not Draft202012Validator(HEADERS_SCHEMA).is_valid(headers)


def test_types_are_reverse_dns_versioned_and_different():
    types = [event_type(contract) for contract in event_contracts().values()]
    assert len(set(types)) == len(types)
    assert all(re.fullmatch(r"org\.forewarn\.[a-z_]+\.v\d+", name) for name in types)


def test_events_that_people_and_downstream_systems_read_carry_the_headers():
    with_headers = {topic.name.value for topic in TOPICS.values() if topic.cloud_events}
    assert {"alerts", "alerts.active", "asset.health", "commands", "assets"} <= with_headers
