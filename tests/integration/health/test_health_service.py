"""Health on a real broker: paced events, exact state after kill -9, rubbish put aside, loud ends."""

import itertools
import time
from collections import Counter

import numpy as np
import pytest

from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.config import group_id
from forewarn.contracts.assets import Asset, HealthWeights
from forewarn.contracts.topics import TopicName, qualified
from forewarn.domain.health.asset import judge
from forewarn.domain.health.profile import profile_of
from forewarn.domain.health.rows import observe_frame
from integration.alerting.event_plane import (
    CATALOGUE,
    PUMPS,
    Feed,
    Stream,
    drained,
    environment,
    frames_of,
    health_on,
    messages_of,
    partition_of,
    rejected_on,
    source_frames,
    start,
)
from support.stack import wait_until
from support.wire import Message, produce, read_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def registered(asset_id, **more):
    plate = {"iso_group": 2, "iso_support": 2}
    return Asset(asset_id=asset_id, asset_class="centrifugal_pump", name=asset_id, nameplate=plate, **more)


def register(bootstrap, prefix, assets):
    entries = [Message(key=a.asset_id.encode(), value=a.model_dump_json().encode(), partition=0) for a in assets]
    produce(bootstrap, qualified(TopicName.ASSETS, prefix), entries)


@pytest.fixture
def plant(kafka_broker, topic_prefix):
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    register(kafka_broker.bootstrap_servers, topic_prefix, [registered(pump) for pump in PUMPS])
    return kafka_broker.bootstrap_servers, topic_prefix


def wearing():
    """Readings of wearing pumps without end; every frame changes everyone's health."""
    rng = np.random.default_rng(11)
    for start_s in itertools.count(step=10):
        vibration = 2.0 * np.exp(start_s / 4000) + 0.8 * rng.random(10)
        yield frames_of(PUMPS, 10, start_s, {"vibration_mm_s": vibration, "score": 50 * rng.random(10)})


def pause(seconds):
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, 60)


def recomputed(bootstrap, prefix):
    """Final health of every asset, from the source topic alone."""
    states = {}
    for frame in source_frames(bootstrap, prefix):
        states.update(observe_frame(states, frame, profile).states)
    return {
        asset_id: judge(state, CATALOGUE[state.asset_class], profile(asset_id)) for asset_id, state in states.items()
    }


def profile(asset_id):
    return profile_of(CATALOGUE["centrifugal_pump"], registered(asset_id))


def fewest_sent(bootstrap, prefix):
    """Events of the pump that has the fewest."""
    reported = Counter(health.asset_id for health in health_on(bootstrap, prefix))
    return min(reported[pump] for pump in PUMPS)


def last_told(bootstrap, prefix):
    return {health.asset_id: health for health in health_on(bootstrap, prefix)}


def test_an_asset_that_changes_all_the_time_has_an_event_a_second_and_the_last_one_is_true(plant, spawn_service):
    start(spawn_service, "forewarn_health", *plant)
    with Stream(Feed(*plant), wearing(), per_second=5):
        wait_until(lambda: fewest_sent(*plant) > 5, 120, "the health of every pump is sent six times", interval_s=1)
    wait_until(lambda: drained("health", *plant), 60)
    pause(2)

    times = {}
    for record in read_topic(plant[0], TopicName.ASSET_HEALTH, plant[1]):
        times.setdefault(record.key, []).append(record.received_us / 1e6)
    gaps = np.concatenate([np.diff(sorted(own)) for own in times.values()])
    assert gaps.min() > 0.95
    for asset_id, health in last_told(*plant).items():
        assert health.ts <= recomputed(*plant)[asset_id].ts


def test_events_carry_cloud_event_headers_and_stay_in_their_assets_partition(plant, spawn_service):
    start(spawn_service, "forewarn_health", *plant)
    Feed(*plant).send(frames_of(PUMPS[7:8], 10, 0, {}))
    wait_until(lambda: health_on(*plant), 30)
    (message,) = messages_of(*plant, TopicName.ASSET_HEALTH, partition_of("P-007"))
    headers = dict(message.headers())
    assert message.key() == b"P-007"
    assert headers["ce_type"] == b"org.forewarn.asset_health.v1"
    assert headers["ce_source"] == b"/forewarn/health"


def test_weights_in_the_registry_hold_from_the_next_reading_on(plant, spawn_service):
    start(spawn_service, "forewarn_health", *plant)
    feed = Feed(*plant)
    feed.send(frames_of(["P-005"], 10, 0, {"bearing_temp_c": 95.0}))
    wait_until(lambda: last_told(*plant), 30)
    before = last_told(*plant)["P-005"]
    assert before.limited_by == "condition"
    assert {metric.name: metric.weight for metric in before.metrics}["bearing_temp_c"] == pytest.approx(0.25)

    own = HealthWeights(metrics={"bearing_temp_c": 0.0}, components={"risk": 0.0})
    register(*plant, [registered("P-005", health_weights=own)])

    def followed():
        feed.send(frames_of(["P-005"], 1, 20 + feed.rows, {"bearing_temp_c": 95.0}))
        return last_told(*plant)["P-005"].health == pytest.approx(100)

    wait_until(followed, 30)
    weights = {metric.name: metric.weight for metric in last_told(*plant)["P-005"].metrics}
    assert weights == {
        "vibration_mm_s": pytest.approx(0.4 / 0.75),
        "bearing_temp_c": 0,
        "wire_to_water_efficiency_pct": pytest.approx(0.35 / 0.75),
    }


def test_kill_9_under_load_leaves_the_state_as_if_nothing_had_happened(plant, spawn_service):
    service = start(spawn_service, "forewarn_health", *plant)
    with Stream(Feed(*plant), wearing(), per_second=5) as wear:
        for pause_s in (1.2, 0.3, 2.1, 0.8):
            pause(pause_s)
            service.kill()
            born = len(service.log)
            service.start()
            wait_until(lambda born=born: "partitions_taken_over" in service.log[born:], 60)
        wait_until(lambda: wear.feed.rows >= 15_000, 90, "wear has gone on long enough to foretell an end")
    wait_until(lambda: drained("health", *plant), 60)
    # the last reading differs from all before, so its health is sent at once
    wear.feed.send(frames_of(PUMPS, 1, wear.feed.rows / len(PUMPS), {"vibration_mm_s": 6.9}))
    expected = recomputed(*plant)
    assert all(health.rul for health in expected.values())
    wait_until(lambda: last_told(*plant) == expected, 30)
    assert service.terminate() < 10
    assert service.returncode == 0


def test_rubbish_is_put_aside_and_the_neighbours_are_judged(plant, spawn_service):
    service = start(spawn_service, "forewarn_health", *plant)
    rubbish = [b"", b"\x00" * 64, b"ARROW1", b"\xff\xff\xff\xff" + b"\x10" * 64, b"x" * 2_000_000]
    messages = [Message(key=None, value=value, partition=0) for value in rubbish]
    produce(plant[0], qualified(TopicName.ANOMALY_SCORES, plant[1]), messages)
    Feed(*plant).send(frames_of(["P-000"], 10, 0, {}))
    wait_until(lambda: set(last_told(*plant)) == {"P-000"}, 30)
    wait_until(lambda: len(rejected_on(*plant)) == len(rubbish), 30)
    assert service.running
    assert {event["reason"] for event in rejected_on(*plant)} == {"bad_frame"}


def test_an_unexpected_error_ends_the_process_with_a_clear_reason(plant, spawn_service):
    """State nobody can read is not guessed at: the supervisor sees the exit code, people see the cure."""
    service = start(spawn_service, "forewarn_health", *plant)
    Feed(*plant).send(frames_of(["P-000"], 10, 0, {}))
    wait_until(lambda: drained("health", *plant), 30)
    assert service.terminate() < 10
    changelog = f"{group_id('health', plant[1])}-state-changelog"
    produce(plant[0], changelog, [Message(key=b"P-000", value=b'{"asset_id": 1}', partition=0)])
    service.start()
    wait_until(lambda: service.returncode is not None, 60)
    assert service.returncode == 1
    assert "cannot be read by this version" in service.log


def test_a_broker_restart_passes_unattended(dedicated_broker, topic_prefix, spawn_service):
    broker = dedicated_broker()
    create_topics(broker.bootstrap_servers, topic_prefix)
    plant = (broker.bootstrap_servers, topic_prefix)
    service = start(spawn_service, "forewarn_health", *plant)
    Feed(*plant).send(frames_of(["P-000"], 10, 0, {}))
    wait_until(lambda: last_told(*plant), 30)
    broker.stop()
    broker.start()
    wait_until(lambda: Feed(*plant).send(frames_of(["P-001"], 10, 0, {})) is None, 60)
    wait_until(lambda: "P-001" in last_told(*plant), 90)
    assert service.running


def test_bad_settings_name_the_variable(spawn_service):
    service = spawn_service("forewarn_health", environment("", ""))
    wait_until(lambda: service.returncode is not None, 30)
    assert service.returncode == 2
    assert "KAFKA_BOOTSTRAP_SERVERS" in service.log
