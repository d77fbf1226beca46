"""The simulator as a process against a real broker."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.publisher import EventPublisher
from forewarn.contracts.assets import Asset, Command, InjectFault, RunScenario, SetUpPlant
from forewarn.contracts.readings import Reading, RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.domain.simulation.pump import PUMP_TAGS
from support.stack import ServiceProcess
from support.stack import wait_until as wait_for
from support.wire import read_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

wait_until = partial(wait_for, timeout_s=60, interval_s=0.3)  # each look reads whole topics
ROWS = 40
REPLAY_SPEED = 20.0
TESTS = Path(__file__).parents[2]


class Platform:
    """A broker's topics under one prefix, and simulators of one small plant."""

    def __init__(self, broker, prefix: str, spawn, directory: Path) -> None:
        self.broker, self.prefix, self._spawn = broker, prefix, spawn
        create_topics(broker.bootstrap_servers, prefix)
        self.plant = directory / "plant.yaml"
        self.plant.write_text(yaml.safe_dump(PLANT), encoding="utf-8")
        lines = [f"2020-03-09 10:{i // 60:02d}:{i % 60:02d};{i}.5;32.0" for i in range(ROWS)]
        text = "\n".join(["datetime;Current;Volume Flow RateRMS", *lines])
        (directory / "recording.csv").write_text(text, encoding="utf-8")

    @property
    def env(self) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": self.prefix,
            "SIMULATION_PLANT": str(self.plant),
            "SIMULATION_INTERVAL_SECONDS": "0.2",
        }

    def start(self, **env: str) -> ServiceProcess:
        return self._spawn("forewarn_simulator", self.env | env)

    def records(self, topic: TopicName):
        return read_topic(self.broker.bootstrap_servers, topic, self.prefix)

    def readings(self) -> dict[str, list[Reading]]:
        """Everything on the raw topic, by asset, in order; each a reading of the contract."""
        found: dict[str, list[Reading]] = defaultdict(list)
        for record in self.records(TopicName.READINGS_RAW):
            reading = decode_event(Reading, record.value)
            assert record.key == reading.asset_id.encode()
            found[reading.asset_id].append(reading)
        return found


def _machine(asset_id: str, asset_class: str, **source) -> dict:
    asset = {"asset_id": asset_id, "asset_class": asset_class, "name": asset_id}
    return {"asset": asset, "source": {"kind": "simulated", "history": {"length_s": 300, "every_s": 10}, **source}}


PLANT = {
    "name": "test",
    "assets": [
        _machine("P-1", "centrifugal_pump"),
        _machine("CH-1", "chiller"),
        {
            "asset": {"asset_id": "L-1", "asset_class": "pump_loop", "name": "L-1"},
            "source": {"kind": "replay", "file": "recording.csv", "speed": REPLAY_SPEED, "history_rows": 10},
        },
        {
            "asset": {"asset_id": "L-2", "asset_class": "pump_loop", "name": "L-2"},
            "source": {"kind": "replay", "file": "nowhere.csv", "optional": True},
        },
    ],
}


@pytest.fixture
def platform(kafka_broker, topic_prefix, spawn_service, tmp_path) -> Platform:
    return Platform(kafka_broker, topic_prefix, spawn_service, tmp_path)


def test_a_plant_is_registered_gets_its_history_and_streams_on(platform):
    simulator = platform.start()
    wait_until(lambda: len(platform.readings()["L-1"]) >= ROWS and len(platform.readings()["P-1"]) >= 40)
    assert simulator.terminate() < 5
    assert simulator.returncode == 0

    assets = [decode_event(Asset, record.value) for record in platform.records(TopicName.ASSETS)]
    assert sorted(asset.asset_id for asset in assets) == ["CH-1", "L-1", "P-1"], "an optional recording is missing"
    readings = platform.readings()
    assert set(readings) == {"CH-1", "L-1", "P-1"}
    for own in readings.values():
        times = [reading.ts for reading in own]
        assert times == sorted(set(times)), "strictly increasing"
        assert [reading.seq for reading in own] == list(range(len(own)))
    pump = readings["P-1"]
    assert pump[29].ts - pump[0].ts == timedelta(seconds=290)
    assert pump[30].ts - pump[29].ts <= timedelta(seconds=0.2)
    assert tuple(pump[0].metrics) == PUMP_TAGS


def test_a_recording_arrives_complete_in_order_and_with_its_distances(platform):
    simulator = platform.start()
    wait_until(lambda: len(platform.readings()["L-1"]) >= ROWS)
    simulator.terminate()
    rows = platform.readings()["L-1"]
    assert [row.metrics["current_a"] for row in rows] == [i + 0.5 for i in range(ROWS)]
    assert {row.metrics["flow_l_min"] for row in rows} == {32.0}
    steps = {round((b.ts - a.ts).total_seconds(), 3) for a, b in pairwise(rows)}
    assert steps == {round(1 / REPLAY_SPEED, 3)}


def test_a_restart_goes_on_without_history_and_leaves_changed_assets_alone(platform):
    first = platform.start()
    wait_until(lambda: len(platform.readings()["P-1"]) > 30)
    first.terminate()
    renamed = Asset(asset_id="P-1", asset_class="centrifugal_pump", name="Renamed by a person")
    publisher = EventPublisher(platform.broker.bootstrap_servers, platform.prefix, source="/test")
    publisher.publish(TopicName.ASSETS, "P-1", renamed, event_id="1", at=datetime.now(UTC))
    publisher.flush(20)
    before = len(platform.readings()["P-1"])
    second = platform.start()
    wait_until(lambda: len(platform.readings()["P-1"]) >= before + 5)
    second.terminate()
    times = [reading.ts for reading in platform.readings()["P-1"]]
    assert times == sorted(set(times))
    newest = {record.key: record.value for record in platform.records(TopicName.ASSETS)}
    assert decode_event(Asset, newest[b"P-1"]).name == "Renamed by a person"


def test_an_injected_fault_grows(platform):
    platform.start()
    wait_until(lambda: len(platform.readings()["P-1"]) > 30)
    publisher = EventPublisher(platform.broker.bootstrap_servers, platform.prefix, source="/test")
    for asset_id, fault in (("P-1", "bearing_wear"), ("P-1", "rust"), ("nobody", "bearing_wear")):
        command = Command(
            command_id=f"{asset_id}-{fault}",
            asset_id=asset_id,
            issued_at=datetime.now(UTC),
            issued_by="test",
            body=InjectFault(fault=fault, duration_s=2.0),
        )
        publisher.publish(TopicName.COMMANDS, asset_id, command, event_id=command.command_id, at=command.issued_at)
    publisher.flush(20)
    wait_until(lambda: platform.readings()["P-1"][-1].metrics["vibration_mm_s"] > 7.0)


def test_a_command_that_ends_the_process_again_and_again_is_put_aside(platform, spawn_service):
    issued_at = datetime.now(UTC)
    publisher = EventPublisher(platform.broker.bootstrap_servers, platform.prefix, source="/test")
    for command_id in ("before", "deadly", "after"):
        fault = InjectFault(fault="bearing_wear" if command_id == "after" else "rust", duration_s=2.0)
        command = Command(command_id=command_id, asset_id="P-1", issued_at=issued_at, issued_by="test", body=fault)
        publisher.publish(TopicName.COMMANDS, "P-1", command, event_id=command_id, at=issued_at)
    publisher.flush(20)
    env = platform.env | {"PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))}
    simulator = spawn_service("support.deadly_commands", env, ["forewarn_simulator"])
    for _ in range(3):
        wait_until(lambda: not simulator.running)
        assert simulator.returncode == 9
        simulator.start()
    wait_until(lambda: platform.readings()["P-1"][-1].metrics["vibration_mm_s"] > 7.0)
    (rejected,) = (
        decode_event(RejectedReading, record.value) for record in platform.records(TopicName.READINGS_REJECTED)
    )
    assert rejected.reason is RejectionReason.QUARANTINED
    assert b"deadly" in rejected.original


def test_scenarios_and_plants_come_by_command_and_a_month_of_history_streams_at_once(platform):
    platform.start()
    wait_until(lambda: len(platform.readings()["P-1"]) > 30)
    publisher = EventPublisher(platform.broker.bootstrap_servers, platform.prefix, source="/test")
    wear = RunScenario(scenario="bearing_wear", asset_class="fan", days=30)
    quick = RunScenario(scenario="belt_slip", asset_class="fan", days=10, acceleration=86_400, interval_s=8640)
    plant = SetUpPlant(plant="refinery")
    issued_at = datetime.now(UTC)
    for number, (asset_id, body) in enumerate(
        [("F-1", wear), ("F-2", quick), ("refinery", plant), ("refinery", plant)]
    ):
        command = Command(command_id=str(number), asset_id=asset_id, issued_at=issued_at, issued_by="test", body=body)
        publisher.publish(TopicName.COMMANDS, asset_id, command, event_id=command.command_id, at=issued_at)
    publisher.flush(20)
    wait_until(lambda: len(platform.readings()["F-1"]) >= 8640 and len(platform.readings()["E-302"]) >= 2016)
    wait_until(lambda: len(platform.readings()["F-2"]) > 10)  # live: those of before are left out
    readings = platform.readings()
    month = [reading.ts for reading in readings["F-1"]]
    assert len(month) == 8640
    assert all(reading.historical for reading in readings["F-1"])
    assert (month[-1] - month[0]) == timedelta(days=30) - timedelta(seconds=300)
    assert issued_at - timedelta(seconds=301) < month[-1] <= issued_at
    assert not any(reading.historical for reading in readings["F-2"])
    refinery = ("P-201", "P-202", "C-401", "C-402", "E-301", "E-302")
    assert {asset_id: sum(r.historical for r in readings[asset_id]) for asset_id in refinery} == dict.fromkeys(
        refinery, 2016
    )
    registered = {record.key.decode() for record in platform.records(TopicName.ASSETS)}
    assert set(refinery) <= registered


def test_a_disabled_simulation_registers_its_assets_and_stays_silent(platform):
    simulator = platform.start(SIMULATION_ENABLED="false")
    wait_until(lambda: "simulation_disabled" in simulator.log)
    assert len(platform.records(TopicName.ASSETS)) == 3
    assert simulator.terminate() < 5
    assert platform.records(TopicName.READINGS_RAW) == []


def test_a_wrong_plant_file_ends_the_process_with_its_name(platform):
    platform.plant.write_text("name: x\nassets: []\n", encoding="utf-8")
    simulator = platform.start()
    wait_until(lambda: not simulator.running)
    assert simulator.returncode == 2
    assert "plant.yaml:2: assets: Tuple should have at least 1 item" in simulator.log


def load(platform: Platform, *arguments: str) -> dict:
    command = [sys.executable, "-m", "forewarn_simulator", "load", *arguments]
    env = {"FOREWARN_ENV": "demo", "OMP_NUM_THREADS": "1", **platform.env}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_load_delivers_exactly_what_it_counts_numbered_and_in_order(platform):
    options = ("--rate", "20000", "--assets", "37", "--duration", "1.5", "--tags", "3", "--baseline-rows", "20")
    report = load(platform, *options)
    assert (report["sent"], report["delivered"], report["failed"]) == (30_740, 30_740, 0)
    assert report["baseline"]["sent"] == 740
    assert report["load"]["rate_per_s"] <= 20_500, "never faster than asked; slower when the machine is busy"
    readings = platform.readings()
    assert sum(len(own) for own in readings.values()) == 30_740
    assert len(readings) == len(platform.records(TopicName.ASSETS)) == 37
    for own in readings.values():
        assert [reading.seq for reading in own] == list(range(len(own)))
        times = [reading.ts for reading in own]
        assert times == sorted(set(times)), "strictly increasing"
        assert times[20] - times[0] > timedelta(seconds=20)
        assert len(own[0].metrics) == 3


def test_a_broker_restart_loses_no_reading_and_keeps_their_order(
    dedicated_broker, topic_prefix, spawn_service, tmp_path
):
    broker = dedicated_broker()
    platform = Platform(broker, topic_prefix, spawn_service, tmp_path)
    simulator = platform.start()
    wait_until(lambda: len(platform.readings()["P-1"]) > 40)
    broker.kill()
    before = simulator.log
    broker.start()
    wait_until(lambda: len(platform.readings()["P-1"]) > 80)
    assert simulator.running, simulator.log.removeprefix(before)
    simulator.terminate()
    for own in platform.readings().values():
        assert [reading.seq for reading in own] == list(range(len(own)))
        assert [reading.ts for reading in own] == sorted({reading.ts for reading in own})
