"""Broker, database and services of the benchmark's own, in a directory of their own."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from forewarn_local.kafka import KafkaBroker
from forewarn_local.ports import HOST, any_free
from forewarn_local.postgres import PostgresServer
from support.stack import SERVICE_ENV, ServiceProcess, wait_until

READY_S = 120.0


class BenchError(Exception):
    """Something could not be measured; the message says what."""


class Installation:
    """One platform: everything it starts ends with it."""

    def __init__(self, directory: Path, *, heap_mb: int, catalogue: Path | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o711)  # PostgreSQL has a user of its own
        self._directory = directory
        self._catalogue = catalogue
        self._services: dict[str, ServiceProcess] = {}
        self._probes: dict[str, int] = {}
        self.broker = KafkaBroker(directory / "kafka", heap_mb=heap_mb)
        self.database = PostgresServer(directory / "postgres")

    def __enter__(self) -> Self:
        try:
            self.broker.start()
            self.database.start()
            self._provision()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def bootstrap(self) -> str:
        """Address of the broker."""
        return self.broker.bootstrap_servers

    @property
    def pids(self) -> dict[str, int]:
        """Process of each service and of the broker."""
        assert self.broker.pid is not None
        return {name: service.pid for name, service in self._services.items()} | {"broker": self.broker.pid}

    @property
    def postmaster(self) -> int:
        """Process of the database server."""
        assert self.database.pid is not None
        return self.database.pid

    def environment(self) -> dict[str, str]:
        """Return the environment of every process."""
        own = {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA_TOPIC_PREFIX": "",
            "DATABASE_URL": self.database.url,
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "console",
        }
        if self._catalogue is not None:
            own["CATALOGUE_PATH"] = str(self._catalogue)
        return {**os.environ, **SERVICE_ENV, **own}

    def spawn(self, module: str, env: Mapping[str, str] | None = None) -> ServiceProcess:
        """Start ``python -m module``, as the test fixture of the same name does."""
        name = module.removeprefix("forewarn_")
        service = ServiceProcess(
            command=[sys.executable, "-m", module],
            env=self.environment() | dict(env or {}),
            log_path=self._directory / f"{name}.log",
        )
        service.start()
        self._services[name] = service
        return service

    def start_services(self, names: Iterable[str]) -> None:
        """Start services, downstream first, and wait until all are ready."""
        for name in names:
            self._probes[name] = any_free()
            self.spawn(f"forewarn_{name}", {"SERVICE_INSTANCE": f"{name}-1", "PROBE_PORT": str(self._probes[name])})
        wait_until(lambda: all(map(self._is_ready, self._probes)), READY_S, self._unready, 0.2)

    def stop_services(self) -> None:
        """End all services, so that what follows has the machine for itself."""
        for service in reversed(self._services.values()):
            service.close()
        self._services.clear()
        self._probes.clear()

    def metrics(self, name: str) -> str:
        """Prometheus metrics of a service."""
        with urllib.request.urlopen(f"http://{HOST}:{self._probes[name]}/metrics", timeout=20) as answer:
            return str(answer.read().decode())

    def require_alive(self) -> None:
        """Fail, with the end of its log, if a service has ended."""
        for name, service in self._services.items():
            if not service.running:
                raise BenchError(f"{name} ended with code {service.returncode}:\n{service.log[-3000:]}")

    def _is_ready(self, name: str) -> bool:
        self.require_alive()
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self._probes[name]}/readyz", timeout=20) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _unready(self) -> str:
        return f"services not ready: {', '.join(name for name in self._probes if not self._is_ready(name))}"

    def _provision(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "forewarn.runtime.provision"],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=READY_S,
            check=False,
        )
        if done.returncode:
            raise BenchError(f"topics and tables could not be made:\n{done.stdout}{done.stderr}")

    def _end(self) -> None:
        self.stop_services()
        self.database.stop()
        self.broker.stop()


def last_json_line(text: str) -> dict[str, Any]:
    """The report a command printed as its last line.

    Raises
    ------
    BenchError
        It does not exist.
    """
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise BenchError(f"a command gave no report:\n{text[-3000:]}")
