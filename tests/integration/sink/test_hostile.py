"""No message stops the sink: what ends it is set aside, and another topic of the same name is noticed."""

import os
import signal
from pathlib import Path

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from forewarn.adapters.event_codec import encode_event
from forewarn.adapters.frames.codec import encode_frame
from forewarn.adapters.kafka.admin import create_topics
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName, qualified
from forewarn_local.ports import any_free
from support.fragile_sink import KILLER
from support.sink_frames import numbered_frames
from support.sink_plant import Sink, count
from support.stack import wait_until
from support.wire import Message, produce

pytestmark = pytest.mark.integration

TESTS = Path(__file__).parents[2]


def asset(number):
    return encode_event(Asset(asset_id=f"A-{number}", asset_class="centrifugal_pump", name="Pump"))


def fetched(url, query, *parameters):
    with psycopg.connect(url) as connection:
        return connection.execute(query, parameters).fetchall()


def test_a_message_that_kills_the_sink_is_set_aside_and_its_neighbours_are_stored(
    kafka_broker, url, prefix, spawn_service
):
    port = any_free()
    service = spawn_service(
        "support.fragile_sink",
        {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")])),
            "KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": prefix,
            "DATABASE_URL": url,
            "SERVICE_INSTANCE": "sink-1",
            "PROBE_PORT": str(port),
        },
    )
    topic = qualified(TopicName.ASSETS, prefix)
    values = [asset(0), asset(1), b"{" + KILLER, asset(3), asset(4)]
    sink = Sink(service, port)
    wait_until(sink.is_ready, 60)
    produce(kafka_broker.bootstrap_servers, topic, [Message(key=b"a", value=value) for value in values])
    deaths = 0

    def finished():
        nonlocal deaths
        if not service.running:
            assert service.returncode == -signal.SIGKILL, service.log[-2000:]
            deaths += 1
            service.start()
        return count(url, "asset WHERE document IS NOT NULL") == 4

    wait_until(finished, 90, lambda: f"{deaths} deaths\n{service.log[-2000:]}")
    assert 3 <= deaths <= 4, "one or two in normal work, two by itself"
    assert fetched(url, "SELECT rejected_id, reason, original FROM rejected") == [
        (f"{topic}/0/2", "quarantined", values[2])
    ]
    wait_until(sink.is_ready, 60)
    produce(kafka_broker.bootstrap_servers, topic, [Message(key=b"a", value=asset(5))])
    wait_until(lambda: count(url, "asset WHERE document IS NOT NULL") == 5, 60)
    assert service.running


def rejection(original, rejected_id="readings.raw/0/0"):
    return encode_event(
        RejectedReading(
            rejected_id=rejected_id,
            topic="readings.raw",
            partition=0,
            offset=0,
            reason=RejectionReason.BAD_JSON,
            explanation="-",
            recommendation="-",
            rejected_at="2026-11-20T00:00:00Z",
            original=original,
        )
    )


def recreate(bootstrap, prefix, name):
    """Delete a topic and create it again, as an operator does who wants to be rid of its messages."""
    topic = qualified(name, prefix)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    before = admin.list_topics(timeout=10).topics
    assert topic in before
    admin.delete_topics([topic])[topic].result(10)
    wait_until(lambda: topic not in admin.list_topics(timeout=10).topics, 30)

    def created():
        create_topics(bootstrap, prefix)
        return topic in admin.list_topics(timeout=10).topics

    wait_until(created, 30)


@pytest.mark.parametrize("running", [False, True], ids=["while it is away", "while it works"])
def test_a_topic_that_is_created_again_and_grows_past_the_stored_offset_loses_nothing(
    kafka_broker, url, prefix, pump, start_sink, running
):
    bootstrap = kafka_broker.bootstrap_servers
    frames = [
        encode_frame(frame)
        for partition in (0, 1)
        for frame in numbered_frames(FrameKind.VALID, pump, partition=partition, readings=40, per_frame=10)
    ]
    valid = qualified(TopicName.READINGS_VALID, prefix)
    rejected = qualified(TopicName.READINGS_REJECTED, prefix)

    def send(values, refusals):
        produce(bootstrap, valid, [Message(key=None, value=value, partition=0) for value in values])
        produce(bootstrap, rejected, [Message(key=b"a", value=rejection(value)) for value in refusals])

    def stored():
        return count(url), count(url, "rejected")

    sink = start_sink(url, prefix)
    wait_until(sink.is_ready, 60)
    send([b"junk", frames[0], frames[1]], [b"the first"])
    wait_until(lambda: stored() == (20, 2), 60, lambda: f"{stored()}")
    if not running:
        sink.service.terminate()
    for name in (TopicName.READINGS_VALID, TopicName.READINGS_REJECTED):
        recreate(bootstrap, prefix, name)
    # Other messages under the same offsets, and more of them than there were.
    send([b"other junk", *frames[2:]], [b"the second", b"the first", b"the second"])
    if not running:
        sink.service.start()
    wait_until(lambda: stored() == (80, 4), 90, lambda: f"{stored()} {sink.service.log[-3000:]}")
    kept = fetched(url, "SELECT rejected_id, original FROM rejected ORDER BY original, rejected_id")
    assert sorted(original for _, original in kept) == [b"junk", b"other junk", b"the first", b"the second"]
    ids = {original: rejected_id for rejected_id, original in kept}
    assert (ids[b"junk"], ids[b"the first"]) == (f"{valid}/0/0", "readings.raw/0/0")
    assert ids[b"other junk"].startswith(f"{valid}/0/0~")
    assert ids[b"the second"].startswith("readings.raw/0/0~")
    assert "topic_recreated" in sink.service.log
    assert sink.metric("forewarn_sink_partitions_recreated_total") >= 2
    generations = fetched(url, "SELECT topic, max(generation) FROM sink_offset GROUP BY 1 HAVING max(generation) > 1")
    assert sorted(generations) == sorted([(valid, 2), (rejected, 2)])
