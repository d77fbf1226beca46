"""Every service reads and writes the topics that the table says, and no others: seen at its clients."""

import json
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from forewarn.contracts.assets import Command, RetrainTwin
from forewarn.contracts.topics import TOPIC_USE, TopicName, TopicUse, qualified
from support.platform import SERVICES, start_platform
from support.stack import wait_until
from support.wire import Message, produce
from unit.fuzz.corpus import METRICS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

PLANT = """
name: small
assets:
  - asset: {asset_id: P-1, asset_class: centrifugal_pump, name: Pump, path: [acme]}
    source: {kind: simulated, seed: 7}
"""

#: Written only about a command that ends the process again and again (tests/integration/api/test_deadly_commands.py).
AFTER_CRASHES = {("api", TopicName.READINGS_REJECTED), ("simulator", TopicName.READINGS_REJECTED)}


@pytest.fixture
def recorded(spawn_service, tmp_path, topic_prefix):
    """Start services that note what they do; returns what they have noted so far."""
    files = {}

    def spawn(module, env):
        service = module.removeprefix("forewarn_")
        files[service] = tmp_path / service
        return spawn_service("support.recorded_service", env, [str(files[service]), module], name=module)

    def seen() -> Mapping[str, Mapping[str, set[TopicName]]]:
        return {service: _use_in(file, topic_prefix) for service, file in files.items()}

    return spawn, seen


def _use_in(file, prefix):
    lines = file.read_text().split("\n") if file.exists() else []
    names = {qualified(name, prefix): name for name in TopicName}
    use = {"read": set(), "write": set()}
    for verb, topic in (line.split() for line in lines if line):
        if topic in names:  # else a changelog
            use[verb].add(names[topic])
    return use


def test_services_use_the_topics_of_the_table_and_no_others(
    recorded, kafka_broker, database_url, topic_prefix, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", "tests")
    monkeypatch.setenv("BASELINE_READINGS", "50")
    monkeypatch.setenv("SIMULATION_INTERVAL_SECONDS", "0.1")
    plant = tmp_path / "plant.yaml"
    plant.write_text(PLANT)
    spawn, seen = recorded
    bootstrap = kafka_broker.bootstrap_servers
    platform = start_platform(spawn, bootstrap=bootstrap, prefix=topic_prefix, database_url=database_url, plant=plant)
    _do_everything(platform.api_url, bootstrap, topic_prefix)
    wait_until(lambda: TopicName.ANOMALY_SCORES in seen()["anomaly"]["write"], 60, "nothing was scored")
    for service in ("anomaly", "twin", "validator", "simulator"):  # a fresh one has nothing to restore
        platform.processes[service].terminate()
        platform.processes[service].start()

    def missing():
        platform.assert_alive()
        return _differences(seen(), lambda declared, done: declared - done) - {("write", *one) for one in AFTER_CRASHES}

    wait_until(lambda: not missing(), 120, lambda: f"declared, but not done: {sorted(missing())}", 0.5)
    assert _differences(seen(), lambda declared, done: done - declared) == set(), "done, but not declared"


def _differences(seen, compare):
    found = set()
    for service in SERVICES:
        declared = TOPIC_USE.get(service, TopicUse())
        for verb, names in (("read", declared.reads), ("write", declared.writes)):
            found |= {(verb, service, name) for name in compare(set(names), seen[service][verb])}
    return found


def _do_everything(api_url: str, bootstrap: str, prefix: str) -> None:
    """Register an asset, send it into an alarm, ask and order things, and put rubbish on every topic."""

    def post(path, document):
        body = json.dumps(document).encode()
        request = urllib.request.Request(f"{api_url}/api/v1{path}", body, {"Content-Type": "application/json"})
        wait_until(lambda: _answer(request), 60, lambda: f"POST {path}: {_answer(request, fail=True)}", 0.5)

    post("/assets", {"asset_id": "P-2", "asset_class": "centrifugal_pump", "name": "Second pump"})
    begin = datetime.now(UTC) - timedelta(seconds=10)
    post(
        "/readings",
        [
            {
                "asset_id": "P-2",
                "ts": (begin + timedelta(seconds=n)).isoformat(),
                "metrics": METRICS | {"vibration_mm_s": 9.0},
            }
            for n in range(8)
        ],
    )  # fmt: skip
    post("/assets/P-1/faults", {"fault": "bearing_wear", "duration_s": 60, "severity": 0.5})
    learn = Command(
        command_id="learn", asset_id="P-1", issued_at=begin, issued_by="ann", body=RetrainTwin(reason="new impeller")
    )
    for name, value in {
        TopicName.COMMANDS: learn.model_dump_json().encode(),
        **dict.fromkeys(
            (TopicName.READINGS_RAW, TopicName.READINGS_VALID, TopicName.TWIN_STATES, TopicName.ANOMALY_SCORES), b"?"
        ),
    }.items():
        produce(bootstrap, qualified(name, prefix), [Message(key=b"P-1", value=value)])


def _answer(request, *, fail=False):
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status < 300
    except OSError as exc:
        return exc.read() if fail and hasattr(exc, "read") else None
