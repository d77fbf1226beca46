"""Starts the API over the session's broker and database."""

import pytest

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.timescale.migrate import migrate
from forewarn.testing.api_examples import CATALOGUE, PUMP
from forewarn_local.ports import any_free
from support.api_service import TOKEN, Service
from support.plant import PUMPS, register


@pytest.fixture
def start_api(spawn_service):
    started = []

    def start(bootstrap, prefix, database_url, **env):
        port, probe_port = any_free(), any_free()
        process = spawn_service(
            "forewarn_api",
            {
                "FOREWARN_ENV": "production",
                "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
                "KAFKA_TOPIC_PREFIX": prefix,
                "DATABASE_URL": database_url,
                "API_TOKEN": TOKEN,
                "API_PORT": str(port),
                "PROBE_PORT": str(probe_port),
                "LOG_LEVEL": "DEBUG",
                **env,
            },
        )
        service = Service(process, port, probe_port, bootstrap, prefix, database_url)
        started.append(service)
        return service

    yield start
    for service in started:
        service.close()


@pytest.fixture(scope="module")
def migrated_url(database_url):
    migrate(database_url, CATALOGUE)
    return database_url


@pytest.fixture
def api(kafka_broker, topic_prefix, migrated_url, start_api):
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    register(kafka_broker.bootstrap_servers, topic_prefix, (*PUMPS, PUMP))
    service = start_api(kafka_broker.bootstrap_servers, topic_prefix, migrated_url)
    service.wait_ready()
    return service
