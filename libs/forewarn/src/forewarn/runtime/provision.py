"""Prepares broker and database for the services: ``python -m forewarn.runtime.provision``.

Waits for both (bounded), creates the topics, migrates the schema, prints a line for each change, and exits. Running it
again changes nothing. Exit code: 0, 1 for a failure, 2 for wrong settings.
"""

import socket
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final, TypeVar

from pydantic import Field, PostgresDsn, field_validator

from forewarn.adapters.catalogue import Catalogue, CatalogueError, load_catalogue
from forewarn.adapters.kafka.admin import TopicReport, create_topics
from forewarn.adapters.kafka.cluster import TopicMismatchError
from forewarn.adapters.kafka.errors import BrokerRefused, BrokerUnavailable
from forewarn.adapters.retrying import retry
from forewarn.adapters.timescale.lifecycle import LifeCycle
from forewarn.adapters.timescale.migrate import MigrationError, MigrationReport, migrate
from forewarn.contracts.limits import GB
from forewarn.contracts.topics import LEAST_DISK_BUDGET_BYTES
from forewarn.ports.store import StoreUnavailable
from forewarn.runtime.service import EXIT_BAD_SETTINGS, EXIT_CRASHED
from forewarn.runtime.settings import KafkaSettings, SettingsError, load_settings

T = TypeVar("T")
Say = Callable[[str], None]

_ATTEMPT_S: Final = 5.0
_PAUSE_S: Final = 1.0


class ProvisionSettings(KafkaSettings):
    """Settings of provisioning."""

    database_url: PostgresDsn = Field(description="postgresql://user:password@host:port/database; the schema's owner")
    provision_timeout_s: float = Field(default=120.0, gt=0, description="How long to wait for broker and database.")
    kafka_replication_factor: int = Field(
        default=-1, ge=-1, le=32, description="Replicas of topics; -1: the broker's default."
    )
    kafka_disk_budget_gb: float = Field(
        default=10.0, ge=0, description="Disk that all topics together may take on each broker [GB]; 0: no limit."
    )
    database_disk_budget_gb: float = Field(
        default=20.0, ge=0, description="Disk that readings, results and rejected messages may take [GB]; 0: no limit."
    )
    readings_retention_days: int = Field(
        default=LifeCycle().drop_after.days, ge=30, le=36_500, description="How long single readings are kept."
    )

    @field_validator("kafka_disk_budget_gb")
    @classmethod
    def _holds_the_largest_messages(cls, budget_gb: float) -> float:
        if 0 < budget_gb < LEAST_DISK_BUDGET_BYTES / GB:
            msg = f"the topics need {LEAST_DISK_BUDGET_BYTES / GB:.1f} GB at least (or 0 for no limit)"
            raise ValueError(msg)
        return budget_gb


class ProvisionError(Exception):
    """Broker or database could not be prepared; the message says why, and what to do."""


class _NotAnsweringError(Exception):
    """The server does not answer yet: try again."""


def provision(settings: ProvisionSettings, catalogue: Catalogue, say: Say) -> None:
    """Prepare broker and database; wait up to ``PROVISION_TIMEOUT_S`` for each.

    Raises ``ProvisionError`` if one does not answer in time, or refuses.
    """
    timeout_s = settings.provision_timeout_s

    def when_it_answers(what: str, attempt: Callable[[], T]) -> T:
        try:
            return retry(
                attempt,
                lambda problem: isinstance(problem, _NotAnsweringError),
                on_wait=lambda problem: say(f"waiting for {what} (up to {timeout_s:.0f} s): {problem}"),
                pause_s=_PAUSE_S,
                patience_s=timeout_s,
            )
        except _NotAnsweringError as exc:
            raise ProvisionError(
                f"{what} does not answer after {timeout_s:.0f} s: {exc}. Check that it runs and that "
                "the address is right; PROVISION_TIMEOUT_S says how long to wait"
            ) from exc

    kafka = f"Kafka at {settings.kafka_bootstrap_servers} (KAFKA_BOOTSTRAP_SERVERS)"
    for line in _about_topics(when_it_answers(kafka, lambda: _topics(settings))):
        say(line)
    for line in _about_schema(when_it_answers("the database (DATABASE_URL)", lambda: _schema(settings, catalogue))):
        say(line)


def _topics(settings: ProvisionSettings) -> TopicReport:
    _require_listener(settings.kafka_bootstrap_servers)
    try:
        return create_topics(
            settings.kafka_bootstrap_servers,
            settings.kafka_topic_prefix,
            timeout_s=_ATTEMPT_S,
            replication_factor=settings.kafka_replication_factor,
            disk_budget_bytes=_bytes(settings.kafka_disk_budget_gb),
        )
    except TopicMismatchError as exc:
        raise ProvisionError(str(exc)) from exc
    except BrokerUnavailable as exc:
        raise _NotAnsweringError(str(exc)) from exc
    except BrokerRefused as exc:
        raise ProvisionError(
            f"Kafka refuses to create or alter the topics: {exc}. Check KAFKA_REPLICATION_FACTOR, and that "
            "the platform may create and alter topics"
        ) from exc


def _bytes(budget_gb: float) -> int | None:
    return int(budget_gb * GB) if budget_gb else None


def _require_listener(bootstrap_servers: str) -> None:
    """Try a plain socket: a Kafka client without a broker fills the terminal with retries."""
    problems = []
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_ATTEMPT_S).close()
        except ValueError:
            raise ProvisionError(f"KAFKA_BOOTSTRAP_SERVERS: {server!r} is not of the form host:port") from None
        except OSError as exc:
            problems.append(f"{server}: {exc.strerror or exc}")
        else:
            return
    raise _NotAnsweringError("; ".join(problems))


def _schema(settings: ProvisionSettings, catalogue: Catalogue) -> MigrationReport:
    try:
        lifecycle = LifeCycle(
            drop_after=timedelta(days=settings.readings_retention_days),
            max_bytes=_bytes(settings.database_disk_budget_gb),
        )
        return migrate(str(settings.database_url), catalogue, lifecycle=lifecycle)
    except StoreUnavailable as exc:
        raise _NotAnsweringError(str(exc)) from exc
    except MigrationError as exc:
        raise ProvisionError(str(exc)) from exc


def _about_topics(report: TopicReport) -> Iterator[str]:
    made = f"created {', '.join(report.created)}" if report.created else "nothing to create"
    yield f"topics: {made}; {len(report.existing)} were there already"
    yield from (f"topics:   changed {change}" for change in report.changed)


def _about_schema(report: MigrationReport) -> Iterator[str]:
    yield f"database: {report.server}"
    yield from (f"database: note: {notice}" for notice in report.notices)
    yield f"schema: {report.revision}; {len(report.changes)} changes" + (":" if report.changes else "")
    yield from (f"schema:   {change}" for change in report.changes)


def main() -> int:
    """Run the command; the return value is the exit code."""

    def say(line: str) -> None:
        sys.stdout.write(f"provision: {line}\n")
        sys.stdout.flush()

    try:
        settings = load_settings(ProvisionSettings)
        catalogue = load_catalogue(settings.catalogue_path)
    except (SettingsError, CatalogueError) as exc:
        sys.stderr.write(f"provision: cannot start\n{exc}\n")
        return EXIT_BAD_SETTINGS
    try:
        provision(settings, catalogue, say)
    except ProvisionError as exc:
        sys.stderr.write(f"provision: failed: {exc}\n")
        return EXIT_CRASHED
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
