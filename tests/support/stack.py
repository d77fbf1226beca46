"""Real servers and service processes for tests.

``kafka_broker`` and ``postgres_server`` are shared by the session: isolate by ``topic_prefix`` and
``database_url``. A test that kills a server takes its own from ``dedicated_broker`` or
``dedicated_postgres``. ``spawn_service`` runs ``python -m module`` and ends it with the test.
"""

import inspect
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest

from forewarn_local.kafka import KafkaBroker
from forewarn_local.postgres import PostgresServer
from forewarn_local.spawn import start, tail
from support.java import quick_start_options

T = TypeVar("T")
GRACE_S = 15.0  # the services' promise is 10 s
_LOGS = pytest.StashKey[list[Path]]()

SERVICE_ENV = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "PYTHONUNBUFFERED": "1",
    "FOREWARN_ENV": "demo",
}


def wait_until(
    predicate: Callable[[], T],
    timeout_s: float = 30.0,
    describe: str | Callable[[], str] = "",
    interval_s: float = 0.05,
) -> T:
    """Call ``predicate`` until it is true and return its value.

    Raises
    ------
    AssertionError
        After ``timeout_s``, with ``describe`` (a text, or a function that gives one at that moment).
    """
    deadline = time.monotonic() + timeout_s
    while not (value := predicate()):
        if time.monotonic() > deadline:
            what = (describe() if callable(describe) else describe) or inspect.getsource(predicate).strip()
            raise AssertionError(f"not within {timeout_s:g} s: {what} (last value: {value!r})")
        time.sleep(interval_s)
    return value


@dataclass
class ServiceProcess:
    """One service under test."""

    command: Sequence[str]
    env: Mapping[str, str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it, again if it has ended; the log goes on in the same file."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        self.process = start(self.command, log=self.log_path, env=self.env)

    @property
    def pid(self) -> int:
        """Process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def returncode(self) -> int | None:
        """Exit code, None while it runs."""
        assert self.process is not None
        return self.process.poll()

    @property
    def log(self) -> str:
        """Everything it has written."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def kill(self) -> None:
        """SIGKILL it and wait for its end."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout_s: float = GRACE_S) -> float:
        """SIGTERM it and return the seconds it took to end; fails if it does not."""
        assert self.process is not None
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command} did not end within {timeout_s:g} s\n{tail(self.log_path)}") from None
        return time.monotonic() - begin

    def close(self) -> None:
        """End it by any means."""
        if self.running:
            assert self.process is not None
            self.process.terminate()
            try:
                self.process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                self.kill()


def attach_logs(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add the end of each log of the test to its failure report."""
    for path in reversed(item.stash.get(_LOGS, [])):  # services before their servers
        lines = (line[:400] for line in tail(path, 40).splitlines())
        report.sections.append((f"{report.when}: end of {path}", "\n".join(lines)))


def _remember(node: pytest.Item, log: Path) -> None:
    node.stash.setdefault(_LOGS, []).append(log)


@pytest.fixture(scope="session")
def stack_dir() -> Iterator[Path]:
    """Scratch directory of the session's servers, passable for PostgreSQL's own user."""
    directory = Path(tempfile.mkdtemp(prefix="forewarn-test-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def quick_java() -> Iterator[None]:
    """Let every broker that starts from here on start quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", quick_start_options())
        yield


@pytest.fixture(scope="session")
def session_broker(stack_dir: Path, quick_java: None) -> Iterator[KafkaBroker]:
    broker = KafkaBroker(stack_dir / "kafka", heap_mb=640)  # it holds the topics of all tests
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def kafka_broker(session_broker: KafkaBroker, request: pytest.FixtureRequest) -> KafkaBroker:
    """The session's broker: do not stop it; use ``topic_prefix`` for topics and groups."""
    _remember(request.node, session_broker.log)
    return session_broker


@pytest.fixture(scope="session")
def postgres_server(stack_dir: Path) -> Iterator[PostgresServer]:
    """The session's database server: do not stop it."""
    server = PostgresServer(stack_dir / "postgres")
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:  # nothing kills it: it need not survive a crash
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """URL of an empty database for the test module."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture
def topic_prefix() -> str:
    """Prefix for topics and groups of this test, e.g. ``t3fa9c1.``."""
    return f"t{uuid.uuid4().hex[:6]}."


@pytest.fixture
def dedicated_broker(
    stack_dir: Path, quick_java: None, request: pytest.FixtureRequest
) -> Iterator[Callable[..., KafkaBroker]]:
    """Factory of started brokers of this test's own, for tests that kill them."""
    brokers: list[KafkaBroker] = []

    def make(**options: int) -> KafkaBroker:
        broker = KafkaBroker(stack_dir / f"kafka-{uuid.uuid4().hex[:8]}", **options)
        brokers.append(broker)
        _remember(request.node, broker.log)
        broker.start()
        return broker

    yield make
    for broker in brokers:
        broker.kill()
        shutil.rmtree(broker.data_dir, ignore_errors=True)


@pytest.fixture
def dedicated_postgres(stack_dir: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., PostgresServer]]:
    """Factory of started database servers of this test's own, for tests that kill them."""
    servers: list[PostgresServer] = []

    def make(**options: int) -> PostgresServer:
        server = PostgresServer(stack_dir / f"postgres-{uuid.uuid4().hex[:8]}", **options)
        servers.append(server)
        _remember(request.node, server.log)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()
        shutil.rmtree(server.data_dir, ignore_errors=True)


@pytest.fixture
def spawn_service(stack_dir: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., ServiceProcess]]:
    """Start ``python -m module`` with ``env`` on top of the test's environment; ended with the test."""
    services: list[ServiceProcess] = []

    def spawn(
        module: str, env: Mapping[str, str] | None = None, args: Sequence[str] = (), name: str = ""
    ) -> ServiceProcess:
        log = stack_dir / f"{name or module}-{uuid.uuid4().hex[:8]}.log"
        service = ServiceProcess(
            command=[sys.executable, "-m", module, *args],
            env={**os.environ, **SERVICE_ENV, **(env or {})},
            log_path=log,
        )
        services.append(service)
        _remember(request.node, log)
        service.start()
        return service

    yield spawn
    for service in reversed(services):
        service.close()
