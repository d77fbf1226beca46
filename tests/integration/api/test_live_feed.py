"""The live feed on a real broker."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer

from forewarn.adapters.clock import SystemClock
from forewarn.adapters.frames.codec import encode_frame
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.config import producer_config
from forewarn.adapters.live.feed import KafkaLiveFeed
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName, qualified
from forewarn.testing.api_examples import CATALOGUE, alarm, frame, health, model_card
from support.stack import wait_until

pytestmark = pytest.mark.integration


class Sender:
    """Puts messages on topics, in transactions as the frame processors do or plainly."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._prefix = prefix
        self._producer = Producer(
            producer_config(bootstrap, client_id="sender", **{"transactional.id": f"{prefix}sender"})
        )
        self._producer.init_transactions(30)

    def send(self, *messages: tuple[TopicName, bytes | None, bytes | None], commit: bool = True) -> None:
        self._producer.begin_transaction()
        for topic, key, value in messages:
            self._producer.produce(qualified(topic, self._prefix), key=key, value=value)
        if commit:
            self._producer.commit_transaction(30)
        else:
            self._producer.abort_transaction(30)


@pytest.fixture
def sender(kafka_broker, topic_prefix):
    create_topics(kafka_broker.bootstrap_servers, topic_prefix)
    return Sender(kafka_broker.bootstrap_servers, topic_prefix)


@pytest.fixture
def start_feed():
    feeds = []

    def start(bootstrap, prefix, on_ignored=lambda topic: None):
        feed = KafkaLiveFeed(
            bootstrap, prefix, CATALOGUE, client_id=f"{prefix}test", clock=SystemClock(), on_ignored=on_ignored
        )
        feed.start()
        feeds.append(feed)
        wait_until(lambda: feed.problem() is None, 30, describe=feed.problem)
        return feed

    yield start
    for feed in feeds:
        feed.close()


def valid(assets, ts, **columns):
    return TopicName.READINGS_VALID, None, encode_frame(frame(FrameKind.VALID, assets, ts, **columns))


def judged(assets, ts, **columns):
    return TopicName.ANOMALY_SCORES, None, encode_frame(frame(FrameKind.ANOMALY, assets, ts, **columns))


def event(topic, key, contract):
    return topic, key.encode(), None if contract is None else contract.model_dump_json().encode()


def test_what_was_open_before_the_start_is_known_and_what_was_closed_is_not(
    sender, start_feed, kafka_broker, topic_prefix
):
    sender.send(
        event(TopicName.ALERTS_ACTIVE, "P-101/a", alarm(rule="a")),
        event(TopicName.ALERTS_ACTIVE, "P-101/b", alarm(rule="b")),
        event(TopicName.MODELS, "P-101/twin", model_card(version=1)),
    )
    sender.send(
        event(TopicName.ALERTS_ACTIVE, "P-101/a", None),
        event(TopicName.MODELS, "P-101/twin", model_card(version=2)),
        event(TopicName.ASSET_HEALTH, "P-101", health(score=70.0)),
    )
    feed = start_feed(kafka_broker.bootstrap_servers, topic_prefix)
    assert [item.alarm_id for item in feed.view.alarms()] == ["P-101/b"]
    assert [model.version for model in feed.view.models()] == [2]
    assert feed.view.asset("P-101").health.health == 70.0


def test_frames_that_arrive_become_the_newest_state(sender, start_feed, kafka_broker, topic_prefix):
    feed = start_feed(kafka_broker.bootstrap_servers, topic_prefix)
    heard = []
    stop = feed.view.listen(lambda: heard.append(1))
    now = datetime.now(UTC).replace(microsecond=0)
    for n in range(3):
        ts = now + timedelta(milliseconds=n)
        sender.send(
            valid(["P-101", "P-102"], ts, flow_m3_h=[float(n), -float(n)]),
            judged(["P-101"], ts, expected_power_kw=30.0, score=float(n)),
        )

    def state(asset_id):
        known = feed.view.asset(asset_id)
        return known and known.reading and known.judgement and known

    wait_until(lambda: state("P-101") and state("P-101").reading.ts == ts and state("P-101").judgement.ts == ts)
    pump = state("P-101")
    assert pump.asset_class == "centrifugal_pump"
    assert pump.reading.values["flow_m3_h"] == 2.0
    assert feed.view.asset("P-102").reading.values["flow_m3_h"] == -2.0
    assert pump.judgement.expected["power_kw"] == 30.0
    assert pump.judgement.score == 2.0
    assert feed.view.newest()["readings.valid"] == ts
    assert heard
    stop()


def test_aborted_frames_and_rubbish_are_never_shown(sender, start_feed, kafka_broker, topic_prefix):
    ignored = Counter()
    feed = start_feed(kafka_broker.bootstrap_servers, topic_prefix, lambda topic: ignored.update([topic]))
    now = datetime.now(UTC)

    def seen():
        sender.send(
            (TopicName.READINGS_VALID, None, b"rubbish"),
            (TopicName.READINGS_VALID, None, _with_a_name_that_is_no_text(now)),
            (TopicName.ANOMALY_SCORES, None, b"\xff\xff\xff\xff\xff\xff\xff\x7f"),
            (TopicName.MODELS, b"\xff", b"[" * 100_000),
            (TopicName.ALERTS_ACTIVE, b"P-101/y", b'"' + b"x" * 900_000 + b'"'),
            (TopicName.ALERTS_ACTIVE, b"P-101/x", b"{}"),
            (TopicName.ASSET_HEALTH, None, b"{}"),
            (TopicName.ASSET_HEALTH, b"P-101", b"{"),
        )
        sender.send(valid(["P-666"], now), commit=False)
        sender.send(valid(["P-101"], now))
        return feed.view.asset("P-101") and feed.view.asset("P-101").reading

    wait_until(seen)
    sender.send(event(TopicName.ALERTS_ACTIVE, "P-101/a", alarm(rule="a")))
    wait_until(lambda: feed.view.alarm("P-101/a"))
    assert feed.view.asset("P-666") is None
    assert feed.view.asset("P-101").health is None
    assert feed.view.alarm("P-101/x") is None
    assert feed.failure() is None
    # They lie on partitions of their own, which may be read after the others.
    wait_until(lambda: {"readings.valid", "anomaly.scores", "models", "alerts.active"} <= ignored.keys())


def _with_a_name_that_is_no_text(at):
    _, _, data = valid(["P-101"], at)
    return data.replace(b"flow_m3_h", b"\xff" * 9)


def test_the_feed_waits_for_topics_that_are_not_made_yet(kafka_broker, topic_prefix):
    feed = KafkaLiveFeed(
        kafka_broker.bootstrap_servers, topic_prefix, CATALOGUE, client_id=f"{topic_prefix}test", clock=SystemClock()
    )
    feed.start()
    try:
        assert "still reading" in feed.problem()
        create_topics(kafka_broker.bootstrap_servers, topic_prefix)
        wait_until(lambda: feed.problem() is None)
        sender = Sender(kafka_broker.bootstrap_servers, topic_prefix)
        sender.send(event(TopicName.ALERTS_ACTIVE, "P-101/a", alarm(rule="a")))
        wait_until(lambda: feed.view.alarm("P-101/a"))
    finally:
        feed.close()


def test_the_feed_survives_a_broker_restart(dedicated_broker, start_feed, topic_prefix):
    broker = dedicated_broker()
    create_topics(broker.bootstrap_servers, topic_prefix)
    feed = start_feed(broker.bootstrap_servers, topic_prefix)
    broker.kill()
    broker.restart()
    sender = Sender(broker.bootstrap_servers, topic_prefix)
    sender.send(event(TopicName.ALERTS_ACTIVE, "P-101/a", alarm(rule="a")))
    wait_until(lambda: feed.view.alarm("P-101/a"), 60)
    now = datetime.now(UTC)
    sender.send(valid(["P-101"], now))
    wait_until(lambda: feed.view.asset("P-101").reading)
    assert feed.failure() is None
