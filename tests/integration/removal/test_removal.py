"""An asset is removed from a running platform, with its history kept or purged, and registered again."""

import random
from datetime import UTC, datetime, timedelta

import httpx2
import psycopg
import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.removals import REMOVAL_KEY, raw_removal
from forewarn.adapters.timescale.migrate import migrate
from forewarn.contracts.removal import AssetRemoval
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from forewarn_local.ports import any_free
from support.api_service import TOKEN
from support.dashboard_ui import TESTS
from support.stack import wait_until
from support.wire import Message, produce, read_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]

#: Learns from 60 readings; its alarm has no delay.
CATALOGUE = TESTS / "bench" / "catalogue"
KEPT, PURGED = "KEPT-1", "PURGED-1"
ROWS = 90
#: By somebody who may write readings, of an asset that stays.
FORGED = AssetRemoval(
    removal_id="forged",
    asset_id=KEPT,
    asset_class="bench_probe",
    removed_at=datetime(1990, 1, 1, tzinfo=UTC),
    removed_by="somebody",
    history="purge",
)
PATIENCE_S = 120
COUNTS = """
SELECT (SELECT count(*) FROM readings_bench_probe r JOIN asset USING (asset_key) WHERE asset_id = %(asset)s),
    (SELECT count(*) FROM results_bench_probe r JOIN asset USING (asset_key) WHERE asset_id = %(asset)s),
    (SELECT count(*) FROM asset_health r JOIN asset USING (asset_key) WHERE asset_id = %(asset)s),
    (SELECT count(*) FROM alarm_event WHERE asset_id = %(asset)s),
    (SELECT count(*) FROM alarm WHERE asset_id = %(asset)s),
    (SELECT count(*) FROM model WHERE asset_id = %(asset)s)
"""
ORPHANS = "SELECT count(*) FROM {} WHERE NOT EXISTS (SELECT FROM asset a WHERE a.asset_key = {}.asset_key)"


class Plant:
    """The services of one installation, and what a client of it sees."""

    def __init__(self, spawn, bootstrap, prefix, database_url):
        self.bootstrap, self.prefix, self.database_url = bootstrap, prefix, database_url
        port = any_free()
        env = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "KAFKA_TOPIC_PREFIX": prefix,
            "DATABASE_URL": database_url,
            "CATALOGUE_PATH": str(CATALOGUE),
            "API_PORT": str(port),
            "API_TOKEN": TOKEN,
            "RETENTION_INTERVAL_S": "3600",
        }
        self.services = {
            name: spawn(f"forewarn_{name}", env | {"SERVICE_INSTANCE": f"{name}-1", "PROBE_PORT": str(any_free())})
            for name in ("sink", "api", "alerting", "health", "anomaly", "twin", "validator")
        }
        self.http = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1", headers={"authorization": f"Bearer {TOKEN}"}, timeout=30
        )

    def answers(self):
        try:
            return self.http.get("/assets").status_code == 200
        except httpx2.TransportError:
            return False

    def register(self, *assets):
        entries = [{"asset_id": asset, "asset_class": "bench_probe", "name": f"Probe {asset}"} for asset in assets]
        assert self.http.post("/assets/bulk", json=entries).json()["registered"] == len(assets)

    def send(self, asset, rows, *, signal=10.0):
        """Readings of the last ``rows`` seconds; the last one with this signal."""
        rng, now = random.Random(asset), datetime.now(UTC)
        loads = [rng.uniform(20, 80) for _ in range(rows)]
        body = [
            {
                "asset_id": asset,
                "ts": (now - timedelta(seconds=rows - 1 - n)).isoformat(),
                "metrics": {
                    "load_pct": load,
                    "answer_pct": 2 * load + rng.gauss(0, 0.5),
                    "signal_pct": signal if n == rows - 1 else 10.0,
                },
            }
            for n, load in enumerate(loads)
        ]
        answer = self.http.post("/readings", json=body)
        assert (answer.status_code, answer.json()["accepted"]) == (202, rows)

    def refused(self):
        return read_topic(self.bootstrap, TopicName.READINGS_REJECTED, self.prefix)

    def open_alarms(self):
        return {item["alarm"]["asset_id"] for item in self.http.get("/alarms").json()["items"]}

    def learned(self):
        return {item["asset_id"] for item in self.http.get("/models").json()["items"]}

    def stored(self, asset):
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(COUNTS, {"asset": asset}).fetchone()

    def orphans(self):
        """Rows of keys that no asset has."""
        with psycopg.connect(self.database_url) as connection:
            tables = ("readings_bench_probe", "results_bench_probe", "asset_health")
            return sum(connection.execute(ORPHANS.format(table, table)).fetchone()[0] for table in tables)

    def logs(self):
        return "\n".join(f"{name}: {process.log[-1500:]}" for name, process in self.services.items())

    def until(self, predicate, what):
        wait_until(predicate, PATIENCE_S, lambda: f"{what}\n{self.logs()}", 0.2)


@pytest.fixture
def plant(spawn_service, kafka_broker, topic_prefix, database_url):
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    migrate(database_url, load_catalogue(CATALOGUE))
    made = Plant(spawn_service, kafka_broker.bootstrap_servers, topic_prefix, database_url)
    wait_until(made.answers, PATIENCE_S, made.logs)
    yield made
    made.http.close()


def test_a_removed_asset_is_forgotten_by_every_stage_and_starts_clean_when_it_comes_back(plant):
    plant.register(KEPT, PURGED)
    for asset in (KEPT, PURGED):
        plant.send(asset, ROWS, signal=80.0)
    plant.until(lambda: plant.learned() == {KEPT, PURGED}, "models are fitted")
    plant.until(lambda: plant.open_alarms() == {KEPT, PURGED}, "alarms are open")
    plant.until(lambda: all(min(plant.stored(asset)) >= 1 for asset in (KEPT, PURGED)), "everything is stored")
    plant.until(lambda: plant.stored(KEPT)[:2] == (ROWS, ROWS) == plant.stored(PURGED)[:2], "all rows are stored")

    raw = qualified(TopicName.READINGS_RAW, plant.prefix)
    forged = raw_removal(FORGED)
    partitions = range(TOPICS[TopicName.READINGS_RAW].partitions)
    assert produce(plant.bootstrap, raw, [Message(key=REMOVAL_KEY, value=forged, partition=p) for p in partitions])
    plant.until(lambda: len(plant.refused()) == len(partitions), "a removal that the registry does not know is refused")

    plant.services["sink"].kill()  # it completes the purge when it is back
    assert plant.http.delete(f"/assets/{KEPT}").status_code == 202
    assert plant.http.delete(f"/assets/{PURGED}", params={"history": "purge"}).json()["history"] == "purge"
    assert plant.http.get(f"/assets/{KEPT}").status_code == 404
    assert plant.http.delete("/assets/NOBODY").status_code == 404
    plant.until(lambda: plant.open_alarms() == set(), "alarms are closed")
    plant.until(lambda: plant.learned() == set(), "models are void")
    reading = b'{"asset_id":"KEPT-1","ts":"%s","metrics":{"load_pct":1.0}}' % datetime.now(UTC).isoformat().encode()
    assert produce(plant.bootstrap, raw, [Message(key=KEPT.encode(), value=reading)])
    plant.until(
        lambda: any(b"unknown_asset" in record.value for record in plant.refused()),
        "a reading of a removed asset is refused",
    )

    plant.services["sink"].start()
    plant.until(lambda: plant.stored(PURGED) == (0, 0, 0, 0, 0, 0) and plant.orphans() == 0, "the history is purged")
    plant.until(
        lambda: [item["asset_id"] for item in plant.http.get("/removed-assets").json()["items"]] == [KEPT],
        "it is listed",
    )
    assert plant.stored(KEPT)[:2] == (ROWS, ROWS)
    past = plant.http.get(f"/assets/{KEPT}/history", params={"resolution": "raw", "max_points": 200}).json()
    assert len(past["ts"]) == ROWS

    def comments():
        closed = plant.http.get("/alarms", params={"state": "closed", "asset": KEPT}).json()["items"]
        return {item["alarm"]["comment"] for item in closed}

    plant.until(lambda: comments() == {"Asset removed"}, "its alarms are stored as closed")

    plant.register(KEPT, PURGED)
    for asset in (KEPT, PURGED):
        plant.send(asset, 10)

    plant.until(lambda: plant.stored(PURGED)[0] == 10, "only what is new is stored")
    plant.until(lambda: plant.stored(KEPT)[0] == ROWS + 10, "what is new is stored behind the history")
    assert plant.learned() == set(), "the twin learns again: nothing judges the first readings"
    assert plant.open_alarms() == set()
    for name, process in plant.services.items():
        assert process.running, (name, process.log[-2000:])
