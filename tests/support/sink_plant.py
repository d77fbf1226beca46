"""The sink as a process, what it is fed with, and what must stand in the database afterwards."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg

from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName, qualified
from support.stack import ServiceProcess
from support.wire import Feed, Message

PARTITIONS = 12
TOPICS = {FrameKind.VALID: TopicName.READINGS_VALID, FrameKind.ANOMALY: TopicName.ANOMALY_SCORES}
TABLES = ("readings_centrifugal_pump", "results_centrifugal_pump")


@dataclass
class Sink:
    """A sink process with its probe."""

    service: ServiceProcess
    port: int

    def get(self, path: str) -> tuple[int, str]:
        """Answer of a probe; 0 while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str) -> float:
        """Sum of a metric over its labels."""
        _, text = self.get("/metrics")
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))
        )

    def is_ready(self) -> bool:
        """Whether it writes."""
        return self.get("/readyz")[0] == 200


@dataclass
class Load:
    """Numbered readings and their judgements, for every partition the same number."""

    prefix: str
    bootstrap: str
    frames: dict[FrameKind, list[list[bytes]]]
    readings: int

    @property
    def total(self) -> int:
        """Readings of all partitions."""
        return self.readings * PARTITIONS

    def feeds(self, per_second: float | None) -> list[Feed]:
        """One feed per topic; frames of the partitions interleaved."""
        return [
            Feed(self.bootstrap, qualified(TOPICS[kind], self.prefix), _interleaved(lanes), per_second)
            for kind, lanes in self.frames.items()
        ]


def _interleaved(lanes: Sequence[Sequence[bytes]]) -> Iterator[Message]:
    for row in zip(*lanes, strict=True):
        for partition, value in enumerate(row):
            yield Message(key=None, value=value, partition=partition)


def count(url: str, table: str = TABLES[0]) -> int | None:
    """Rows of a table; None while the database is away."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    except psycopg.OperationalError:
        return None
    return rows


def counts(url: str) -> tuple[int | None, ...]:
    """Readings and judgements."""
    return tuple(count(url, table) for table in TABLES)


def drop_unique_keys(url: str) -> None:
    """Take the second line of defence away: a row that is written twice then stands there twice."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
            connection.execute(f"CREATE INDEX ON {table} (asset_key, ts)")


def assert_every_number_once(url: str, load: Load) -> None:
    """Each reading and each judgement of the load is there exactly once."""
    with psycopg.connect(url) as connection:
        for table in TABLES:
            rows = connection.execute(
                "SELECT substring(asset_id from 3 for 2)::integer AS lane, count(*), count(DISTINCT (asset_id, ts)) "
                f"FROM {table} JOIN asset USING (asset_key) GROUP BY 1 ORDER BY 1"
            ).fetchall()
            assert rows == [(p, load.readings, load.readings) for p in range(PARTITIONS)], table
        numbers = connection.execute(
            "SELECT substring(asset_id from 3 for 2)::integer, min(seq), max(seq), count(DISTINCT seq) "
            "FROM readings_centrifugal_pump JOIN asset USING (asset_key) GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert numbers == [(p, 0, load.readings - 1, load.readings) for p in range(PARTITIONS)]
    assert load.readings >= 1000, "too few readings in a partition to mean anything"
