"""A disk that fills up takes nothing down for good: real broker, database and supervisor on a disk of 400 MB."""

import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from forewarn_local.home import Home
from forewarn_local.leftovers import is_alive
from forewarn_local.processes import Program
from forewarn_local.supervision import Supervisor
from integration.local.conftest import small_file_system
from support.stack import wait_until

pytestmark = pytest.mark.integration
TOPIC = "kept"


def _bootstrap(platform) -> str:
    properties = (platform.home / "data" / "kafka" / "server.properties").read_text()
    return next(line for line in properties.splitlines() if line.startswith("advertised")).split("//")[1]


def _admin(platform) -> AdminClient:
    return AdminClient({"bootstrap.servers": _bootstrap(platform), "log_level": 0})


def _produce(platform, count: int) -> list[bytes]:
    """Send messages of 256 KiB; return the numbers of those that the broker confirmed."""
    confirmed: list[bytes] = []
    settings = {"acks": "all", "message.timeout.ms": 3000, "log_level": 0}
    producer = Producer({"bootstrap.servers": _bootstrap(platform), **settings})
    for number in range(count):
        key = f"{len(confirmed)}-{number}".encode()
        producer.produce(
            TOPIC,
            os.urandom(256 * 1024),
            key=key,
            on_delivery=lambda error, message: None if error else confirmed.append(message.key()),
        )
        producer.flush(5)
    return confirmed


def _stored_keys(platform) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": _bootstrap(platform), "group.id": "reader", "log_level": 0})
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=10)
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        keys: list[bytes] = []
        wait_until(
            lambda: keys.extend(m.key() for m in consumer.consume(100, 0.5) if not m.error()) or len(keys) >= end, 20
        )
        return keys
    finally:
        consumer.close()


def _fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"\0" * 65536)


def _room(path: Path) -> int:
    return shutil.disk_usage(path).free


def _insert(platform, first: int, count: int) -> list[int]:
    """Insert rows of 100 kB, one transaction each; return the committed ones."""
    committed = []
    with contextlib.suppress(psycopg.Error), psycopg.connect(platform.database_url(), autocommit=True) as connection:
        for number in range(first, first + count):
            connection.execute("INSERT INTO kept VALUES (%s, %s)", [number, os.urandom(100_000)])
            committed.append(number)
    return committed


def _rows(platform) -> list[int] | None:
    try:
        with psycopg.connect(platform.database_url(), connect_timeout=2) as connection:
            return [number for (number,) in connection.execute("SELECT number FROM kept ORDER BY number").fetchall()]
    except psycopg.OperationalError:
        return None


def _broker_takes_messages(platform) -> bool:
    try:
        _admin(platform).list_topics(timeout=2)
    except KafkaException:
        return False
    return bool(_produce(platform, 1))


def test_a_supervisor_that_cannot_write_logs_or_records_still_restarts_what_ends(tmp_path):
    beats = tmp_path / "beats"  # on another disk
    chatty = (
        "import time, pathlib\n"
        "for beat in range(10**9):\n"
        "    print('x' * 3000, flush=True)\n"
        f"    pathlib.Path({str(beats)!r}).write_text(str(beat))\n"
        "    time.sleep(0.005)"
    )
    home = Home(root=tmp_path, path=tmp_path / "home")
    with small_file_system(home.path, "1m"):
        home.make()
        supervisor = Supervisor(home)
        program = Program(name="chatty", command=[sys.executable, "-c", chatty], environment={}, cwd=tmp_path)
        supervisor.start([program])
        try:
            supervisor.launch("chatty")
            wait_until(lambda: "xxx" in supervisor.log_tail("chatty"), 20)
            _fill(home.path / "filler")
            log = home.logs / "chatty.log"
            wait_until(lambda: _room(home.path) == 0, 20, "the disk is full to the last page")
            (before,) = supervisor.processes()
            os.kill(before.pid, signal.SIGKILL)
            wait_until(lambda: supervisor.processes()[0].pid not in {0, before.pid}, 20, "it is started again")
            wait_until(lambda: int(beats.read_text() or 0) > 200, 20, "nobody reads its output: it waits for the pipe")
            stuck = log.stat().st_size
            (home.path / "filler").unlink()
            wait_until(lambda: log.stat().st_size > stuck, 20, "its log goes on")
            assert supervisor.alive
        finally:
            supervisor.stop()


@pytest.mark.timeout(180)
def test_a_full_disk_stops_nothing_for_good_and_loses_nothing_accepted(small_disk, platform):
    platform.up()
    admin = _admin(platform)
    for future in admin.create_topics([NewTopic(TOPIC, 1, 1)]).values():
        future.result(10)
    with psycopg.connect(platform.database_url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (number integer, content bytea)")
    supervisor = psutil.Process(platform.pid("supervisord"))
    broker = [psutil.Process(platform.pid("kafka"))]
    confirmed, committed = _produce(platform, 4), _insert(platform, 0, 4)

    _fill(small_disk / "filler")
    committed += _insert(platform, 100, 400)
    confirmed += _produce(platform, 4)
    os.kill(platform.pid("twin"), signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, broker)), 30, "the broker gives up its log directory")
    assert _rows(platform) is None or len(committed) < 404, "the disk was not full for the database"
    assert is_alive(supervisor)
    assert platform.process.poll() is None, platform.output
    assert "Disk full" in platform.output

    (small_disk / "filler").unlink()
    wait_until(lambda: _broker_takes_messages(platform), 60, lambda: platform.output)
    wait_until(lambda: _rows(platform) is not None, 60, lambda: platform.output)
    assert set(confirmed) <= set(_stored_keys(platform))
    assert set(committed) <= set(_rows(platform) or ())
    wait_until(lambda: "readings are accepted" in platform.output, 10, lambda: platform.output)
    names = {child.pid for child in supervisor.children()}
    assert len(names) == 11, "broker, database and nine services run again"
    assert is_alive(supervisor)
    platform.end(signal.SIGTERM)
