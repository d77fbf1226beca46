"""What the sink does with good, bad and repeated messages, and how it starts and stops."""

import random
from datetime import UTC, datetime

import psycopg
import pytest

from forewarn.adapters.event_codec import encode_event
from forewarn.adapters.frames.codec import encode_frame
from forewarn.adapters.timescale.migrate import migrate
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName, qualified
from forewarn.domain.frames.frame import Frame, Strings
from support.sink_frames import numbered_frames
from support.sink_plant import assert_every_number_once, count, counts
from support.stack import wait_until
from support.wire import Message, consumed, produce

pytestmark = pytest.mark.integration


def test_frames_and_events_of_every_topic_are_stored(kafka_broker, url, prefix, load, start_sink):
    sink = start_sink(url, prefix)
    work = load(readings=1000, per_frame=100)
    for feed in work.feeds(None):
        feed.run()
    asset = Asset(asset_id="A-1", asset_class="centrifugal_pump", name="Pump")
    produce(
        kafka_broker.bootstrap_servers,
        qualified(TopicName.ASSETS, prefix),
        [Message(key=b"A-1", value=encode_event(asset)), Message(key=b"A-2", value=None)],
    )
    wait_until(lambda: counts(url) == (work.total, work.total), 60, lambda: f"rows: {counts(url)}")
    wait_until(lambda: count(url, "asset WHERE document IS NOT NULL") == 1)
    assert_every_number_once(url, work)
    assert sink.metric("forewarn_sink_rows_written_total") >= 2 * work.total
    wait_until(lambda: sink.metric("forewarn_sink_lag_messages") == 0, 30, "the lag shows that all is stored")
    assert sink.is_ready()
    assert sink.get("/livez")[0] == 200
    group = f"{prefix}forewarn.sink"
    topic = qualified(TopicName.READINGS_VALID, prefix)
    wait_until(lambda: consumed(kafka_broker.bootstrap_servers, group, topic) == (120, 120), 30, "committed")


def test_bad_messages_become_rows_and_their_neighbours_are_stored(kafka_broker, url, prefix, load, start_sink, pump):
    bootstrap = kafka_broker.bootstrap_servers
    work = load(readings=1000, per_frame=250)
    good = work.frames[FrameKind.VALID]
    nul = frame_with_nul(pump)
    valid = qualified(TopicName.READINGS_VALID, prefix)
    bad = [
        b"",
        b"no frame",
        good[0][0][:-40],
        work.frames[FrameKind.ANOMALY][0][0],
        encode_frame(nul),
        b"\xff" * 100_000,
    ]
    for partition in range(12):
        middle = bad if partition == 0 else []
        values = [*good[partition][:2], *middle, *good[partition][2:]]
        produce(bootstrap, valid, [Message(key=None, value=v, partition=partition) for v in values])
    produce(bootstrap, qualified(TopicName.ALERTS, prefix), [Message(key=b"a", value=b'{"alert_id": 1}')])
    unindexable = encode_event(rejection(asset_id="".join(random.Random(1).choices("0123456789abcdef", k=20_000))))
    produce(bootstrap, qualified(TopicName.READINGS_REJECTED, prefix), [Message(key=b"a", value=unindexable)])
    start_sink(url, prefix)
    wait_until(lambda: count(url) == work.total, 60, lambda: f"rows: {counts(url)}")
    wait_until(lambda: count(url, "rejected") == len(bad) + 2, 30)
    with psycopg.connect(url) as connection:
        kept = connection.execute(
            "SELECT original, reason FROM rejected WHERE topic = %s ORDER BY source_offset", [valid]
        ).fetchall()
        others = connection.execute(
            "SELECT explanation FROM rejected WHERE topic <> %s ORDER BY topic", [valid]
        ).fetchall()
    assert [original for original, _ in kept] == bad
    assert {reason for _, reason in kept} == {"bad_frame", "bad_structure"}
    assert "alert_id" in others[0][0]
    assert "index" in others[1][0]


def rejection(asset_id):
    return RejectedReading(
        rejected_id="raw/0/0", topic="raw", partition=0, offset=0, reason=RejectionReason.BAD_JSON, explanation="-",
        recommendation="-", asset_id=asset_id, rejected_at=datetime(2026, 11, 20, tzinfo=UTC), original=b"{",
    )  # fmt: skip


def frame_with_nul(pump):
    frame = next(numbered_frames(FrameKind.VALID, pump, partition=99, readings=5, per_frame=5))
    return Frame(
        kind=frame.kind,
        asset_class=pump,
        arrays=frame.arrays,
        strings={**frame.strings, "findings": Strings.of(["a\0b"] * 5)},
    )


def test_sigterm_under_load_drains_within_ten_seconds_and_loses_nothing(url, prefix, load, start_sink):
    work = load(readings=2000, per_frame=100)
    sink = start_sink(url, prefix)
    first, second = work.feeds(per_second=20)
    with first, second:
        for target in (0.1, 0.4, 0.7):
            wait_until(lambda t=target: sink.is_ready() and count(url) > t * work.total, 60)
            seconds = sink.service.terminate()
            assert sink.service.returncode == 0
            assert seconds < 10
            sink.service.start()
    wait_until(lambda: counts(url) == (work.total, work.total), 60, lambda: f"rows: {counts(url)}")
    assert_every_number_once(url, work)


def test_a_sink_that_finds_no_database_waits_says_so_and_then_writes(
    dedicated_postgres, catalogue, prefix, load, start_sink
):
    server = dedicated_postgres()
    server.stop()
    sink = start_sink(server.url, prefix)
    wait_until(lambda: sink.service.log.count('"event": "waited"') >= 3, 40, lambda: sink.service.log[-2000:])
    status, reason = sink.get("/readyz")
    assert status == 503
    assert str(server.port) in reason
    assert server.password not in sink.service.log
    server.start()
    wait_until(lambda: "forewarn.runtime.provision" in sink.service.log, 40, "it says that the schema is missing")
    migrate(server.url, catalogue)
    work = load(readings=1000, per_frame=500)
    for feed in work.feeds(None):
        feed.run()
    wait_until(lambda: counts(server.url) == (work.total, work.total), 60, lambda: sink.service.log[-2000:])
    assert sink.is_ready()
    assert sink.service.log.count("service_starting") == 1


def test_topics_made_anew_are_read_from_their_beginning(kafka_broker, url, prefix, load, start_sink):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO sink_offset (topic, partition, epoch, next_offset) "
            "SELECT %s, generate_series(0, 11), 5, 1000000",
            [qualified(TopicName.READINGS_VALID, prefix)],
        )
    work = load(readings=1000, per_frame=500)
    for feed in work.feeds(None):
        feed.run()
    sink = start_sink(url, prefix)
    wait_until(lambda: counts(url) == (work.total, work.total), 60, lambda: sink.service.log[-2000:])
    assert "topic_recreated" in sink.service.log
