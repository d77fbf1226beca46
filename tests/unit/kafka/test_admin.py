"""Creating topics where no broker answers."""

import socket

import pytest

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.errors import BrokerUnavailable


def test_a_broker_that_accepts_and_stays_silent_is_unavailable_and_the_message_says_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(BrokerUnavailable, match=f"{address}.*KAFKA_BOOTSTRAP_SERVERS"):
            create_topics(address, "t.", timeout_s=0.3)
