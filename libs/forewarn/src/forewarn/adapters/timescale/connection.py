"""Connections to the database, and what its errors mean for us."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import conninfo, errors

from forewarn.ports.store import StoreUnavailable, Unstorable

#: A dead peer is noticed within seconds on both sides: the server must not hold a dead sink's locks.
_DEFAULTS: Final[dict[str, Any]] = {
    "client_encoding": "UTF8",  # also where the database is SQL_ASCII, which would give us bytes
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_SERVER_KEEPALIVE: Final = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}

#: The server went away, shut down, ran out of something, ended our session, is (for now) a standby, or is broken.
AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)


def connection_arguments(database_url: str, *, application: str, settings: dict[str, str]) -> dict[str, Any]:
    """Arguments for ``psycopg.connect``: the URL's own win over our keep-alives; ``settings`` are session settings."""
    given = conninfo.conninfo_to_dict(database_url)
    session = {**_SERVER_KEEPALIVE, "timezone": "UTC", **settings}
    options = " ".join(
        [str(given.pop("options", "") or ""), *(f"-c {name}={value}" for name, value in session.items())]
    )
    return {**_DEFAULTS, "application_name": application, **given, "options": options.strip()}


def describe(database_url: str) -> str:
    """Where a URL points to, without its password."""
    given = conninfo.conninfo_to_dict(database_url)
    return f"{given.get('host', 'localhost')}:{given.get('port', 5432)}/{given.get('dbname', '')}"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the driver's errors into those of ``ports.store``; programming errors pass.

    Raises
    ------
    StoreUnavailable
        Where another attempt may succeed.
    Unstorable
        Where none ever will: the values do not fit.
    """
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded) as exc:
        raise Unstorable(_first_line(exc)) from exc  # too long for an index, for instance: never gets better
    except AWAY as exc:
        raise StoreUnavailable(_first_line(exc)) from exc


def _first_line(exc: BaseException) -> str:
    return str(exc).strip().split("\n", 1)[0] or type(exc).__name__
