"""Broker and database of one run: embedded, or the user's own."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from forewarn_local.artefacts import cache_dir
from forewarn_local.display import Display
from forewarn_local.home import Home
from forewarn_local.kafka import KafkaBroker
from forewarn_local.plan import SERVICES, Addresses
from forewarn_local.ports import PortLocks, choose
from forewarn_local.postgres import PostgresServer
from forewarn_local.processes import Program, log_path
from forewarn_local.settings import LocalSettings, reachable_host

KAFKA_PORT = 9092
POSTGRES_PORT = 5432


class Servers:
    """Choose the ports of a run and prepare the embedded servers."""

    def __init__(self, home: Home, settings: LocalSettings, display: Display) -> None:
        self._home = home
        self._settings = settings
        self._display = display
        self._port_locks = PortLocks(cache_dir() / "ports")
        self.broker: KafkaBroker | None = None
        self.database: PostgresServer | None = None

    def prepare(self) -> list[Program]:
        """Fetch, format and configure the embedded servers; return the programs to supervise."""
        programs = []
        if self._settings.kafka_bootstrap_servers is None:
            programs.append(self._prepare_kafka())
        if self._settings.database_url is None:
            programs.append(self._prepare_database())
        return programs

    def addresses(self) -> Addresses:
        """Return all addresses; call it after :meth:`prepare`."""
        settings = self._settings
        api_port = self._port(settings.api_port, "the API", settings.api_host)
        dashboard_port = self._port(settings.dashboard_port, "the dashboard", settings.dashboard_host)
        return Addresses(
            kafka=self.broker.bootstrap_servers if self.broker else settings.kafka_bootstrap_servers or "",
            database=self.database.url if self.database else settings.database_url or "",
            api_host=settings.api_host,
            api_port=api_port,
            dashboard_host=settings.dashboard_host,
            dashboard_port=dashboard_port,
            api_url=f"http://{reachable_host(settings.api_host)}:{api_port}",
            dashboard_url=f"http://{reachable_host(settings.dashboard_host)}:{dashboard_port}",
        )

    def probe_ports(self) -> dict[str, int]:
        """Return a free probe port for each service."""
        ports = {}
        for service in SERVICES:
            ports[service.name] = choose(service.probe_port, what=f"{service.name}'s probe", locks=self._port_locks)
        return ports

    def close(self) -> None:
        """Release the ports; call it after everything has stopped."""
        self._port_locks.release()

    def waits(self) -> dict[str, Callable[[], str | None]]:
        """Return a check per embedded server: it returns why the server is not ready, or None."""
        checks: dict[str, Callable[[], str | None]] = {}
        if (broker := self.broker) is not None:
            checks["kafka"] = broker.why_not_ready
        if (database := self.database) is not None:
            checks["postgres"] = database.why_not_ready
        return checks

    def _port(self, wanted: int, what: str, host: str) -> int:
        return choose(wanted, what=what, host=host, locks=self._port_locks, notice=self._display.note)

    def _prepare_kafka(self) -> Program:
        with self._display.step("Preparing Kafka 4.3") as step:
            port = self._port(KAFKA_PORT, "Kafka", "127.0.0.1")
            self.broker = KafkaBroker(
                self._home.data / "kafka",
                port=port,
                heap_mb=self._settings.kafka_heap_mb,
                log=log_path(self._home, "kafka"),
                progress=lambda done, total: step.update(f"Fetching Kafka 4.3: {done} of {total} files"),
            )
            command = self.broker.prepare()
            step.result = f"Kafka 4.3 prepared ({Path(command[0])})"
        return Program(
            name="kafka", command=command, environment=dict(os.environ), cwd=self._home.root, is_service=False
        )

    def _prepare_database(self) -> Program:
        with self._display.step("Preparing PostgreSQL") as step:
            self.database = PostgresServer(
                self._home.data / "postgres",
                port=self._port(POSTGRES_PORT, "PostgreSQL", "127.0.0.1"),
                password=self._home.database_password(),
                log=log_path(self._home, "postgres"),
            )
            command = self.database.prepare()
            programs = self.database.programs
            extra = "with TimescaleDB" if programs.has_timescaledb else "without TimescaleDB"
            step.result = f"PostgreSQL {programs.major} prepared ({programs.source}, {extra})"
        for directory in self.database.opened:
            self._display.note(f"{directory} now has o+x, so that the database's user can pass.")
        account = self.database.account
        return Program(
            name="postgres",
            command=command,
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            cwd=Path("/"),
            stop_signal=signal.SIGINT,
            is_service=False,
            uid=account.uid,
            gid=account.gid,
        )
