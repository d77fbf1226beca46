"""Questions to the broker about partitions."""

import time
from contextlib import suppress
from itertools import cycle

import pytest
from confluent_kafka.admin import AdminClient

from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.offsets import OffsetLookup
from forewarn.ports.store import Source
from forewarn_local.ports import any_free
from support.sink_plant import PARTITIONS
from support.stack import wait_until

pytestmark = pytest.mark.integration


def test_a_fresh_client_is_told_offsets_at_once(kafka_broker, prefix, monkeypatch):
    """One that asked while it was meeting the broker waited 3 s: on a busy machine the lag stayed unknown."""
    topics = ("readings.valid", "readings.rejected", "anomaly.scores", "asset.health", "alerts", "models")
    sources = [Source(f"{prefix}{topic}", partition) for topic in topics for partition in range(PARTITIONS)]
    pauses_s = cycle(ms / 1000 for ms in range(6))

    class Interrupted(AdminClient):
        """A client whose process is not given the CPU for a moment."""

        def __init__(self, config):
            super().__init__(config)
            time.sleep(next(pauses_s))

    monkeypatch.setattr("forewarn.adapters.kafka.offsets.AdminClient", Interrupted)

    def ask():
        return OffsetLookup(kafka_broker.bootstrap_servers, "test", timeout_s=1.0).bounds(sources)

    def all_partitions_are_led():
        with suppress(BrokerUnavailable):
            return ask()

    wait_until(all_partitions_are_led, 30)
    for _ in range(30):
        assert ask() == dict.fromkeys(sources, (0, 0))


def test_without_a_broker_it_says_so():
    with pytest.raises(BrokerUnavailable, match="offsets could not be read"):
        OffsetLookup(f"127.0.0.1:{any_free()}", "test", timeout_s=0.3).bounds([Source("readings.valid", 0)])
