"""The sink as a process, between a real broker and a real database."""

import pytest

from forewarn.adapters.frames.codec import encode_frame
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.timescale.migrate import migrate
from forewarn_local.ports import any_free
from support.databases import fresh_database
from support.sink_frames import numbered_frames
from support.sink_plant import PARTITIONS, TOPICS, Load, Sink


@pytest.fixture
def url(postgres_server, catalogue):
    """URL of a migrated database of this test's own."""
    with fresh_database(postgres_server) as fresh:
        migrate(fresh, catalogue)
        yield fresh


@pytest.fixture
def prefix(kafka_broker, topic_prefix):
    """Prefix under which all topics exist."""
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    return topic_prefix


@pytest.fixture
def start_sink(kafka_broker, spawn_service):
    """Start ``python -m forewarn_sink``."""

    def start(url, prefix, instance="sink-1", **env):
        port = any_free()
        service = spawn_service(
            "forewarn_sink",
            {
                "KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
                "KAFKA_TOPIC_PREFIX": prefix,
                "DATABASE_URL": url,
                "SERVICE_INSTANCE": instance,
                "PROBE_PORT": str(port),
                **env,
            },
            name=f"forewarn_sink-{instance}",
        )
        return Sink(service, port)

    return start


@pytest.fixture
def load(kafka_broker, prefix, pump):
    """Make a load."""

    def make(*, readings, per_frame):
        frames = {
            kind: [
                [
                    encode_frame(frame)
                    for frame in numbered_frames(kind, pump, partition=p, readings=readings, per_frame=per_frame)
                ]
                for p in range(PARTITIONS)
            ]
            for kind in TOPICS
        }
        return Load(prefix, kafka_broker.bootstrap_servers, frames, readings)

    return make
