"""What a step left in the database, counted there, and how far the consumers are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg
from confluent_kafka import Consumer, TopicPartition

from forewarn.adapters.kafka.config import consumer_config, group_id
from forewarn.contracts.topics import TOPICS, TopicName, qualified

#: What each consumer reads of the load.
GROUPS = {
    "validator": TopicName.READINGS_RAW,
    "twin": TopicName.READINGS_VALID,
    "anomaly": TopicName.TWIN_STATES,
    "health": TopicName.ANOMALY_SCORES,
    "alerting": TopicName.ANOMALY_SCORES,
}
_STORED = (TopicName.READINGS_VALID, TopicName.ANOMALY_SCORES)

_COUNTS = """
SELECT
    (SELECT count(*) FROM readings_{c} WHERE ts >= %(since)s),
    (SELECT count(*) FROM readings_{c} WHERE ts >= %(since)s AND verdict <> 0),
    (SELECT count(*) FROM (SELECT DISTINCT asset_key, seq FROM readings_{c} WHERE ts >= %(since)s) AS numbered),
    (SELECT count(*) FROM results_{c} WHERE ts >= %(since)s),
    (SELECT count(*) FROM rejected WHERE rejected_at >= %(since)s)
"""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of a step. ``distinct`` counts (machine, counter): a reading stored under two times shows there."""

    readings: int
    warned: int
    distinct: int
    results: int
    rejected: int


def count_rows(connection: psycopg.Connection, asset_class: str, since: datetime) -> Rows:
    """Count what was measured since a time."""
    row = connection.execute(_COUNTS.format(c=asset_class).encode(), {"since": since}).fetchone()
    assert row is not None
    readings, warned, distinct, results, rejected = row
    return Rows(readings=readings, warned=warned, distinct=distinct, results=results, rejected=rejected)


def ends_of_stored_topics(bootstrap: str) -> dict[tuple[str, int], int]:
    """Offset behind the last message of every partition that the sink stores frames of."""
    consumer = Consumer(consumer_config(bootstrap, group_id="bench-ends", client_id="bench-ends"))
    try:
        ends = {}
        for name in _STORED:
            topic = qualified(name, "")
            for partition in range(TOPICS[name].partitions):
                ends[topic, partition] = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)[1]
    finally:
        consumer.close()
    return ends


def is_stored(connection: psycopg.Connection, ends: Mapping[tuple[str, int], int]) -> bool:
    """Whether the sink's offsets, which move with the rows, have reached these ends.

    The last thing in a partition is the marker of the transaction that wrote to it, which no reader gets.
    """
    rows = connection.execute("SELECT topic, partition, coalesce(next_offset, 0) FROM sink_offset")
    reached = {(topic, partition): offset for topic, partition, offset in rows}
    return all(reached.get(place, 0) >= end - 1 for place, end in ends.items())


def lags(bootstrap: str) -> dict[str, int]:
    """Messages each group has not committed yet."""
    return {service: _lag(bootstrap, group_id(service, ""), name) for service, name in GROUPS.items()}


def _lag(bootstrap: str, group: str, name: TopicName) -> int:
    # What is written in transactions ends with a marker that no reader gets.
    marker = 0 if name is TopicName.READINGS_RAW else 1
    consumer = Consumer(consumer_config(bootstrap, group_id=group, client_id="bench-lag"))
    try:
        places = [TopicPartition(qualified(name, ""), p) for p in range(TOPICS[name].partitions)]
        behind = 0
        for place in consumer.committed(places, timeout=20):
            low, high = consumer.get_watermark_offsets(place, timeout=20)
            behind += max(0, high - marker - max(place.offset, low))
    finally:
        consumer.close()
    return behind


def duplicates_met(metrics: str) -> int:
    """Rows the sink was given a second time, from its metrics."""
    found = re.findall(
        r"^forewarn_sink_rows_duplicate_total\{[^}]*table=\"(?:readings|results)_[^}]*\} (\S+)$", metrics, re.M
    )
    return round(sum(map(float, found)))
