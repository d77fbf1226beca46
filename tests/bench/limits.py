"""What bounds the pipeline: the same bytes through the same hops, and the same rows into the same tables, bare."""

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psycopg
from confluent_kafka.admin import AdminClient, NewTopic

from bench.figures import Rate
from bench.installation import BenchError, Installation, last_json_line
from bench.offline import CLASS
from bench.options import Options
from bench.progress import say
from bench.usage import Meter
from forewarn.contracts.topics import DEFAULT_PARTITIONS, TopicName, qualified

_HOPS = ("bench.copy.1", "bench.copy.2", "bench.copy.3")
_PATIENCE_S = 180.0
_ROWS_A_COPY = 10_000
_TESTS = Path(__file__).resolve().parents[1]


def create_topics(bootstrap: str, names: tuple[str, ...]) -> None:
    """Create topics with the platform's number of partitions."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    topics = [NewTopic(n, num_partitions=DEFAULT_PARTITIONS, config={"max.message.bytes": "16777216"}) for n in names]
    for future in admin.create_topics(topics).values():
        future.result(30)


def python_path(installation: Installation) -> dict[str, str]:
    """Environment in which ``python -m bench.…`` works."""
    return installation.environment() | {"PYTHONPATH": str(_TESTS)}


def copy_through_topics(installation: Installation, options: Options) -> Rate:
    """The raw readings of the run, through three transactional hops that do nothing."""
    count = options.limit_readings
    say(f"limit: {count} raw messages through {len(_HOPS)} hops without work")
    create_topics(installation.bootstrap, _HOPS)
    chain = (qualified(TopicName.READINGS_RAW, ""), *_HOPS)
    meter = Meter({"broker": installation.pids["broker"]}, installation.postmaster)
    before = meter.sample()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.copier", installation.bootstrap, source, target, str(count)],
            env=python_path(installation),
            stdout=subprocess.PIPE,
            text=True,
        )
        for source, target in pairwise(chain)
    ]
    try:
        reports = [last_json_line(process.communicate(timeout=_PATIENCE_S)[0]) for process in processes]
    except subprocess.TimeoutExpired as exc:
        raise BenchError(f"the bare copy did not end within {_PATIENCE_S:g} s") from exc
    finally:
        for process in processes:
            process.kill()
            process.wait()
    broker_s = meter.sample().cpu_s["broker"] - before.cpu_s["broker"]
    span_s = reports[-1]["last_s"] - reports[0]["first_s"]
    clients_s = sum(report["cpu_s"] for report in reports)
    return Rate(
        name=f"bare copy, {len(_HOPS)} hops",
        readings_per_s=count / span_s,
        us_per_reading=clients_s / count * 1e6,
        remark=f"broker {broker_s / count * 1e6:.1f} us/reading",
    )


def copy_into_tables(installation: Installation, options: Options) -> Rate:
    """The rows of the run, as the sink's bytes, into empty tables with the same unique index."""
    with psycopg.connect(installation.database.url, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        rows, seconds, cpu_s = 0, 0.0, 0.0
        for table in (f"readings_{CLASS}", f"results_{CLASS}"):
            chunks, count = _export(connection, table, options.limit_readings)
            say(f"limit: COPY of {count} rows into a copy of {table}")
            connection.execute(f"CREATE TABLE bench_copy (LIKE {table} INCLUDING ALL)".encode())
            meter = Meter({}, installation.postmaster)
            began, before = time.monotonic(), meter.sample().cpu_s["database"]
            for chunk in chunks:
                with connection.transaction(), connection.cursor().copy("COPY bench_copy FROM STDIN BINARY") as copy:
                    copy.write(chunk)
            seconds += time.monotonic() - began
            cpu_s += meter.sample().cpu_s["database"] - before
            connection.execute("DROP TABLE bench_copy")
            rows = count
    return Rate(
        name="bare COPY, both tables",
        readings_per_s=rows / seconds,
        us_per_reading=cpu_s / rows * 1e6,
        remark=f"{_ROWS_A_COPY} rows a transaction, unique index, one connection",
    )


def _export(connection: psycopg.Connection, table: str, limit: int) -> tuple[list[bytes], int]:
    """The newest rows in the order of time, as binary COPY data of some thousand rows each."""
    connection.execute(
        f"CREATE TEMP TABLE bench_sample AS SELECT *, row_number() OVER (ORDER BY ts, asset_key) AS bench_row "
        f"FROM (SELECT * FROM {table} ORDER BY ts DESC LIMIT {limit}) AS newest".encode()
    )
    row = connection.execute("SELECT count(*) FROM bench_sample").fetchone()
    assert row is not None
    columns = ", ".join(f'"{name}"' for name in _columns(connection, table))
    connection.execute("CREATE INDEX ON bench_sample (bench_row)")
    chunks = []
    for start in range(1, row[0] + 1, _ROWS_A_COPY):
        query = (
            f"COPY (SELECT {columns} FROM bench_sample WHERE bench_row >= {start} "
            f"AND bench_row < {start + _ROWS_A_COPY}) TO STDOUT BINARY"
        )
        with connection.cursor().copy(query.encode()) as copy:
            chunks.append(b"".join(bytes(part) for part in copy))
    connection.execute("DROP TABLE bench_sample")
    return chunks, row[0]


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    query = (
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "ORDER BY attnum"
    )
    return [name for (name,) in connection.execute(query, [table])]
