"""Check the machine before starting anything; each problem is one message that says what to do."""

from collections.abc import Callable

import psycopg

from forewarn.contracts.limits import GB
from forewarn_local.bootstrap import disk_problem, write_problem
from forewarn_local.budgets import needed_gb, used_bytes
from forewarn_local.errors import LocalStackError
from forewarn_local.home import Home
from forewarn_local.java import find_java
from forewarn_local.kafka import answers
from forewarn_local.pgprograms import data_major, find_programs
from forewarn_local.postgres import redacted
from forewarn_local.settings import LocalSettings

_REACH_TIMEOUT_S = 10.0


def problems(home: Home, settings: LocalSettings) -> list[str]:
    """Return everything that prevents a start."""
    existing = next(path for path in (home.path, *home.path.parents) if path.exists())
    still_needed_gb = needed_gb(settings) - used_bytes(home.data) / GB
    found = [write_problem(existing), disk_problem(existing, round(still_needed_gb, 1))]
    if settings.kafka_bootstrap_servers is None:
        found.append(_problem_of(find_java))
    else:
        found.append(kafka_problem(settings.kafka_bootstrap_servers))
    if settings.database_url is None:
        found.append(_problem_of(lambda: find_programs(data_major(home.data / "postgres"))))
    else:
        found.append(database_problem(settings.database_url))
    return [problem for problem in found if problem is not None]


def kafka_problem(bootstrap_servers: str) -> str | None:
    """Return what to do if the user's Kafka does not answer."""
    if answers(bootstrap_servers, _REACH_TIMEOUT_S):
        return None
    return (
        f"No Kafka answers at KAFKA_BOOTSTRAP_SERVERS={bootstrap_servers}. Check the address, the brokers' "
        "advertised listeners and the network; or remove the setting to start one here."
    )


def database_problem(url: str) -> str | None:
    """Return what to do if the user's database does not answer."""
    try:
        with psycopg.connect(url, connect_timeout=int(_REACH_TIMEOUT_S)):
            return None
    except psycopg.ProgrammingError:
        return "DATABASE_URL is not a PostgreSQL URL: write it as postgresql://user:password@host:5432/database."
    except psycopg.OperationalError as exc:
        reason = " ".join(str(exc).split())
        return (
            f"No database answers at DATABASE_URL ({redacted(url)}): {reason}. Check address and password; or "
            "remove the setting to start one here."
        )


def _problem_of(look: Callable[[], object]) -> str | None:
    try:
        look()
    except LocalStackError as exc:
        return str(exc)
    return None
