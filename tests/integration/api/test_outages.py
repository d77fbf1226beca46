"""The API as a process while broker or database is away."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.timescale.migrate import migrate
from forewarn.contracts.topics import TopicName
from forewarn.testing.api_examples import CATALOGUE, PUMP
from support.api_service import reading
from support.plant import PUMPS, register
from support.stack import wait_until

pytestmark = pytest.mark.integration


def test_no_202_while_the_broker_is_away_and_the_service_recovers_by_itself(
    dedicated_broker, topic_prefix, migrated_url, start_api
):
    broker = dedicated_broker()
    create_topics(broker.bootstrap_servers, topic_prefix)
    register(broker.bootstrap_servers, topic_prefix, PUMPS)
    api = start_api(broker.bootstrap_servers, topic_prefix, migrated_url, API_DELIVERY_TIMEOUT_S="8")
    api.wait_ready()
    confirmed, refused, numbers = [], [], iter(range(1_000_000))
    stop = threading.Event()

    def send():
        while not stop.is_set():
            seq = next(numbers)
            answer = api.http.post("/api/v1/readings", json=[reading(a.asset_id, seq=seq) for a in PUMPS])
            if answer.status_code == 202:
                confirmed.append(seq)
            elif answer.status_code == 503:
                assert answer.headers["content-type"] == "application/problem+json"
                refused.append(seq)
            else:
                assert answer.status_code == 207, answer.text

    with ThreadPoolExecutor(1) as pool:
        sender = pool.submit(send)
        try:
            wait_until(lambda: len(confirmed) > 10 or sender.done())
            broker.kill()
            wait_until(lambda: refused or sender.done(), 60)
            assert api.http.get("/healthz").json()["components"]["kafka"]["status"] == "failed"
            broker.restart()
            before = len(confirmed)
            wait_until(lambda: len(confirmed) > before + 10 or sender.done(), 120)
        finally:
            stop.set()
        sender.result(60)
    assert refused
    stored = {(json.loads(r.value)["asset_id"], json.loads(r.value)["seq"]) for r in api.topic(TopicName.READINGS_RAW)}
    assert {(asset.asset_id, seq) for asset in PUMPS for seq in confirmed} <= stored
    assert len(confirmed) > 20


def test_without_a_database_ingest_and_live_data_go_on(dedicated_postgres, kafka_broker, topic_prefix, start_api):
    server = dedicated_postgres()
    url = server.create_database("plant")
    migrate(url, CATALOGUE)
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    register(kafka_broker.bootstrap_servers, topic_prefix, (PUMP,))
    api = start_api(kafka_broker.bootstrap_servers, topic_prefix, url)
    api.wait_ready()
    wait_until(lambda: api.http.get("/healthz").status_code == 200)
    server.stop()
    history = api.http.get("/api/v1/assets/P-101/history")
    assert (history.status_code, history.headers["content-type"]) == (503, "application/problem+json")
    assert url.split("@")[1] not in history.text
    assert api.http.post("/api/v1/readings", json=reading()).status_code == 202
    assert api.http.get("/api/v1/alarms").status_code == 200
    assert api.http.get("/healthz").json()["components"]["database"]["status"] == "failed"
    assert api.probes.get("/livez").status_code == 200
    server.start()
    wait_until(lambda: api.http.get("/healthz").status_code == 200, 60)
    assert api.http.get("/api/v1/assets/P-101/history").status_code == 200
