"""Alerting on a real broker: raised once, acknowledged, cleared; killed, joined by others, fed with rubbish."""

import itertools
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from aiokafka.partitioner import DefaultPartitioner

from forewarn.adapters.event_codec import encode_event
from forewarn.adapters.kafka.admin import create_topics
from forewarn.contracts.assets import AcknowledgeAlarm, Command
from forewarn.contracts.health import AssetHealth
from forewarn.contracts.topics import TopicName, qualified
from forewarn.domain.alarms.rows import observe_frame
from forewarn.domain.alarms.seen import Seen
from forewarn.domain.time import to_datetime
from forewarn.testing.frames import START_US
from integration.alerting.event_plane import (
    PUMPS,
    Feed,
    Stream,
    active_on,
    alerts_on,
    drained,
    environment,
    frames_of,
    messages_of,
    partition_of,
    ready,
    rejected_on,
    send_event,
    source_frames,
    start,
)
from support.stack import wait_until
from support.wire import Message, produce, read_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture
def plant(kafka_broker, topic_prefix):
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    return kafka_broker.bootstrap_servers, topic_prefix


def acknowledge(bootstrap, prefix, alarm, by="ann"):
    command = Command(
        command_id=f"ack-{alarm.occurrence_id}",
        asset_id=alarm.asset_id,
        issued_at=datetime.now(UTC),
        issued_by=by,
        body=AcknowledgeAlarm(alarm_id=alarm.alarm_id, occurrence_id=alarm.occurrence_id),
    )
    where = partition_of(alarm.asset_id)
    send_event(bootstrap, prefix, TopicName.COMMANDS, alarm.asset_id, encode_event(command), where)


def transitions(bootstrap, prefix):
    """Transitions as they happened: sorted by nothing but the topic's order, without redeliveries."""
    seen = {}
    for alert in alerts_on(bootstrap, prefix):
        seen.setdefault(alert.alert_id, alert)
    return list(seen.values())


def test_an_alarm_is_raised_once_acknowledged_by_command_and_cleared_on_return(plant, spawn_service):
    start(spawn_service, "forewarn_alerting", *plant)
    feed = Feed(*plant)
    feed.send(frames_of(PUMPS, 30, 0, {"vibration_mm_s": 1.0}))
    feed.send(frames_of(PUMPS[:3], 30, 30, {"vibration_mm_s": 5.0}))
    wait_until(lambda: len(active_on(*plant)) == 3, 30)
    assert feed.rows == 30 * 27

    for alarm in active_on(*plant).values():
        assert (alarm.rule, alarm.active, alarm.acknowledged) == ("vibration_high", True, False)
        assert alarm.raised_at == to_datetime(START_US) + timedelta(seconds=35)
        acknowledge(*plant, alarm)
    wait_until(lambda: all(alarm.acknowledged_by == "ann" for alarm in active_on(*plant).values()), 30)

    feed.send(frames_of(PUMPS[:3], 60, 60, {"vibration_mm_s": 1.0}))
    wait_until(lambda: active_on(*plant) == {}, 30)
    counts = Counter((alert.alarm.alarm_id, alert.transition.value) for alert in alerts_on(*plant))
    wanted = ("raised", "acknowledged", "returned", "closed")
    assert counts == {(f"{asset}/vibration_high", name): 1 for asset in PUMPS[:3] for name in wanted}


def test_events_carry_cloud_event_headers_their_key_and_their_assets_partition(plant, spawn_service):
    start(spawn_service, "forewarn_alerting", *plant)
    Feed(*plant).send(frames_of(PUMPS[5:6], 30, 0, {"vibration_mm_s": 5.0}))
    wait_until(lambda: alerts_on(*plant), 30)
    (message,) = messages_of(*plant, TopicName.ALERTS, partition_of("P-005"))
    headers = dict(message.headers())
    assert message.key() == b"P-005"
    assert headers["ce_id"].decode() == alerts_on(*plant)[0].alert_id
    assert headers["ce_type"] == b"org.forewarn.alert.v1"
    assert headers["ce_source"] == b"/forewarn/alerting"


def test_faust_puts_a_key_into_the_same_partition_as_every_other_producer(plant):
    keys = [f"asset-{number}-ü".encode() for number in range(300)]
    produce(plant[0], qualified(TopicName.COMMANDS, plant[1]), [Message(key=key, value=b"x") for key in keys])
    found = {record.key: record.partition for record in read_topic(plant[0], TopicName.COMMANDS, plant[1])}
    everywhere = list(range(12))
    assert found == {key: DefaultPartitioner()(key, everywhere, everywhere) for key in keys}
    assert len(set(found.values())) == 12


def test_an_aborted_transaction_raises_nothing(plant, spawn_service):
    start(spawn_service, "forewarn_alerting", *plant)
    feed = Feed(*plant)
    feed.send(frames_of(PUMPS[:5], 30, 0, {"vibration_mm_s": 9.0}), abort=True)
    feed.send(frames_of(PUMPS[:5], 30, 30, {"vibration_mm_s": 1.0}))
    feed.send(frames_of(PUMPS[5:6], 30, 0, {"vibration_mm_s": 5.0}))
    wait_until(lambda: active_on(*plant), 30)
    wait_until(lambda: drained("alerting", *plant), 30)
    assert set(active_on(*plant)) == {"P-005/vibration_high"}


def test_an_acknowledgement_of_an_older_occurrence_is_refused(plant, spawn_service):
    service = start(spawn_service, "forewarn_alerting", *plant)
    Feed(*plant).send(frames_of(PUMPS[:1], 30, 0, {"vibration_mm_s": 5.0}))
    wait_until(lambda: active_on(*plant), 30)
    (alarm,) = active_on(*plant).values()
    acknowledge(*plant, alarm.model_copy(update={"occurrence_id": "an-older-one"}))
    wait_until(lambda: "acknowledgement_refused" in service.log, 30)
    assert not next(iter(active_on(*plant).values())).acknowledged


def test_health_and_remaining_life_raise_alarms(plant, spawn_service):
    start(spawn_service, "forewarn_alerting", *plant)
    health = AssetHealth(
        asset_id="P-004",
        asset_class="centrifugal_pump",
        ts=to_datetime(START_US),
        health=20.0,
        category="critical",
        trend="degrading",
        trend_per_day=-5.0,
        metrics=(),
        anomaly_score=None,
        anomaly_flag=False,
        deviation=None,
    )
    send_event(*plant, TopicName.ASSET_HEALTH, "P-004", encode_event(health), partition_of("P-004"))
    wait_until(lambda: set(active_on(*plant)) == {"P-004/health_low"}, 30)


def test_rubbish_is_put_aside_and_the_neighbours_are_handled(plant, spawn_service):
    service = start(spawn_service, "forewarn_alerting", *plant)
    rubbish = [b"", b"\xff" * 100, b"{}", b"null", b"[" * 5_000, b'{"asset_id": NaN}']
    for topic in (TopicName.ANOMALY_SCORES, TopicName.ASSET_HEALTH, TopicName.COMMANDS):
        messages = [Message(key=None, value=value, partition=0) for value in rubbish]
        produce(plant[0], qualified(topic, plant[1]), messages)
    Feed(*plant).send(frames_of(["P-000"], 30, 0, {"vibration_mm_s": 5.0}))

    wait_until(lambda: set(active_on(*plant)) == {"P-000/vibration_high"}, 30)
    wait_until(lambda: len(rejected_on(*plant)) == 3 * len(rubbish), 30)
    assert service.running
    reasons = Counter(event["reason"] for event in rejected_on(*plant))
    assert reasons == {"bad_frame": len(rubbish), "bad_structure": 2 * len(rubbish)}


def test_a_missing_topic_ends_the_start_with_its_name_and_a_cure(kafka_broker, topic_prefix, spawn_service):
    service = spawn_service(
        "forewarn_alerting",
        {"KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers, "KAFKA_TOPIC_PREFIX": topic_prefix},
    )
    wait_until(lambda: service.returncode is not None, 60)
    assert service.returncode == 1
    assert "does not exist: create the platform's topics first" in service.log


def stormy(seed):
    """Endless frames of all pumps: vibration wanders around both limits, temperature around its own."""
    rng = np.random.default_rng(seed)
    for second in itertools.count(step=8):
        level = rng.choice([1.0, 4.4, 5.0, 7.5], size=8)
        columns = {
            "vibration_mm_s": level + 0.2 * rng.random(8),
            "bearing_temp_c": np.repeat(rng.choice([60.0, 93.0]), 8),
            "flag": np.repeat(rng.random() < 0.3, 8),
            "score": 90 * rng.random(8),
        }
        yield frames_of(PUMPS, 8, second * 2.0, columns, step_s=2.0)


def assert_equal_to_the_offline_recomputation(bootstrap, prefix, *, fed, least):
    states, seen, wanted, rows = {}, Seen(), [], 0
    for frame in source_frames(bootstrap, prefix):
        rows += frame.rows
        result = observe_frame(states, seen, frame)
        states.update(result.states)
        wanted += result.alerts
    assert rows == fed, "the recomputation must see every row that was fed"
    found = alerts_on(bootstrap, prefix)
    assert len(wanted) >= least
    assert described(found) == described(wanted)

    open_alarms = {alarm.alarm_id: alarm for alarms in states.values() for alarm in alarms.open_alarms}
    active = active_on(bootstrap, prefix)
    assert identities(active) == identities(open_alarms)
    wait_until(lambda: values(active_on(bootstrap, prefix)) == values(open_alarms), 10)

    occurrences = {}
    for alert in found:
        occurrences.setdefault(alert.alarm.alarm_id, set()).add(alert.alarm.occurrence_id)
    closed = {alert.alarm.occurrence_id for alert in found if alert.transition.value == "closed"}
    assert all(len(ids - closed) <= 1 for ids in occurrences.values())


def described(alerts):
    return {alert.alert_id: (alert.alarm.alarm_id, alert.transition.value, alert.at) for alert in alerts}


def identities(alarms):
    return {alarm.alarm_id: (alarm.occurrence_id, alarm.state, alarm.occurrences) for alarm in alarms.values()}


def values(alarms):
    return {alarm.alarm_id: alarm.value for alarm in alarms.values()}


def test_kill_9_under_load_raises_every_alarm_and_none_twice(plant, spawn_service):
    service = start(spawn_service, "forewarn_alerting", *plant)
    born = 0
    with Stream(Feed(*plant), stormy(7), per_second=8) as storm:
        for pause_s in (0.2, 0.7, 0.05, 1.1, 0.4):  # anywhere between two checkpoints
            wait_until_at_work(service, born)
            pause(pause_s)
            born = restart(service)
        pause(1.0)
        born = restart(service)  # once more while it starts
        wait_until_at_work(service, born)
        wait_until(lambda: storm.feed.rows >= 10_000, 60)
    wait_until(lambda: drained("alerting", *plant), 90)
    assert take_overs(service) >= 6
    assert_equal_to_the_offline_recomputation(*plant, fed=storm.feed.rows, least=300)
    assert service.terminate() < 10
    assert service.returncode == 0


def test_a_crash_before_the_first_commit_loses_nothing(plant, spawn_service):
    """Faust seeks to committed offsets only; where there is none it went on from wherever it had prefetched to."""
    first = spawn_service("forewarn_alerting", {**environment(*plant), "CHECKPOINT_INTERVAL_S": "60"})
    wait_until(lambda: ready(first), 60)
    with Stream(Feed(*plant), stormy(7), per_second=10) as storm:
        wait_until_at_work(first, 0)
        pause(1.5)
        first.kill()
        second = start(spawn_service, "forewarn_alerting", *plant)
        wait_until_at_work(second, 0)
        wait_until(lambda: storm.feed.rows >= 4_000, 60)
    wait_until(lambda: drained("alerting", *plant), 90)
    assert_equal_to_the_offline_recomputation(*plant, fed=storm.feed.rows, least=100)


def restart(service):
    """Kill -9 and start again; returns where the new life begins in the log."""
    service.kill()
    born = len(service.log)
    service.start()
    return born


def wait_until_at_work(service, born):
    """Until the life that began there has taken over and raised or cleared something since."""

    def working():
        _, taken_over, since = service.log[born:].partition("partitions_taken_over")
        return taken_over and "alarm_id=" in since

    wait_until(working, 60, "the service is not back at work")


def take_overs(service):
    return service.log.count("partitions_taken_over")


def pause(seconds):
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, 30)


def test_two_workers_share_the_plant_and_take_over_from_each_other(plant, spawn_service):
    first = start(spawn_service, "forewarn_alerting", *plant, instance="1")
    with Stream(Feed(*plant), stormy(7), per_second=6) as storm:
        second = start(spawn_service, "forewarn_alerting", *plant, instance="2")
        wait_until(lambda: len(owned(first)) == len(owned(second)) == 6, 60, lambda: f"{owned(first)} {owned(second)}")
        assert set(owned(first)) | set(owned(second)) == set(range(12))
        assert second.terminate() < 10
        wait_until(lambda: len(owned(first)) == 12, 60)
        wait_until(lambda: storm.feed.rows >= 2_000, 60)
    wait_until(lambda: drained("alerting", *plant), 60)
    assert_equal_to_the_offline_recomputation(*plant, fed=storm.feed.rows, least=100)


def owned(service):
    """Partitions it took over last."""
    lines = [line for line in service.log.splitlines() if "partitions_taken_over" in line]
    return json.loads(lines[-1].split("partitions=")[1].split("]")[0] + "]") if lines else []
