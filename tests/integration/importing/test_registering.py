"""New assets of an import are known to the validator before their readings come."""

import threading
from datetime import UTC, datetime

import pytest

from forewarn.adapters.clock import SystemClock
from forewarn.adapters.importing.registering import ImportRegistry
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.config import group_id
from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.registry import REGISTRY_READER, AssetRegistry

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def bootstrap(kafka_broker, topic_prefix) -> str:
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    return kafka_broker.bootstrap_servers


@pytest.fixture
def importing(bootstrap, topic_prefix):
    registry = ImportRegistry(bootstrap, topic_prefix, SystemClock(), threading.Event().wait, patience_s=3.0)
    yield registry
    registry.close()


def test_registering_ends_when_the_validator_knows_the_new_assets(importing, bootstrap, topic_prefix):
    validator = AssetRegistry(
        bootstrap, topic_prefix, client_id="validator", commits_as=group_id(REGISTRY_READER, topic_prefix)
    )
    try:
        for names in (("P-1", "P-2"), ("P-3",)):
            assert importing.register(names, "centrifugal_pump", "centrifugal_pump", NOW) == names
            assert {validator.get(name).asset_id for name in names} == set(names)
        assert importing.register(("P-1", "P-3"), "centrifugal_pump", None, NOW) == ()
    finally:
        validator.close()


def test_registering_without_a_validator_says_what_is_missing(importing):
    with pytest.raises(BrokerUnavailable, match="validator has not noticed the new assets for 3 s: does it run"):
        importing.register(["P-1"], "centrifugal_pump", "centrifugal_pump", NOW)
