"""Connections to the database, and the meaning of its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import conninfo, errors

from forewarn.ports.codec import one_line
from forewarn.ports.store import Doubtful, Fenced, StoreUnavailable, Unstorable

#: Classes of SQLSTATE: a request exceeds a limit or is not supported; the server contradicts itself.
_CONTENT: Final = frozenset({"0A", "54"})
_DISORDER: Final = "XX"

#: Both sides notice a dead peer within seconds: the server must not hold a dead sink's locks.
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

#: The server went away, shut down, ran out of something, ended our session, is a standby for now, or is broken.
AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)


def connection_arguments(database_url: str, *, application: str, settings: dict[str, str]) -> dict[str, Any]:
    """Return arguments for ``psycopg.connect``; the URL overrides our keep-alives, ``settings`` are the session's."""
    given = conninfo.conninfo_to_dict(database_url)
    session = {**_SERVER_KEEPALIVE, "timezone": "UTC", **settings}
    options = " ".join(
        [str(given.pop("options", "") or ""), *(f"-c {name}={value}" for name, value in session.items())]
    )
    return {**_DEFAULTS, "application_name": application, **given, "options": options.strip()}


def describe(database_url: str) -> str:
    """Return the target of a URL, without its password."""
    given = conninfo.conninfo_to_dict(database_url)
    return f"{given.get('host', 'localhost')}:{given.get('port', 5432)}/{given.get('dbname', '')}"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate the driver's errors, and those of values that cannot be sent, into the errors of ``ports.store``.

    Raises
    ------
    StoreUnavailable
        Where another attempt may succeed: also while the schema is not what it must be.
    Unstorable
        Where no attempt ever will: the values do not fit.
    Doubtful
        Where it is not clear: the server gave up during our request, or found itself in disorder.
    """
    try:
        yield
    except (StoreUnavailable, Fenced, Unstorable, Doubtful):
        raise
    except psycopg.Error as exc:
        raise _meaning(exc)(_first_line(exc)) from exc
    except Exception as exc:  # a value that cannot be laid out or encoded
        raise Unstorable(f"{type(exc).__name__}: {_first_line(exc)}") from exc


def _meaning(exc: psycopg.Error) -> type[Exception]:
    if isinstance(exc, psycopg.DataError | psycopg.IntegrityError) or _class_of(exc) in _CONTENT:
        return Unstorable  # also what is too long for an index, or nested too deep: never gets better
    return Doubtful if isinstance(exc, errors.QueryCanceled) or _class_of(exc) == _DISORDER else StoreUnavailable


def _class_of(exc: psycopg.Error) -> str:
    return (exc.sqlstate or "")[:2]


def _first_line(exc: BaseException) -> str:
    return one_line(str(exc).strip().split("\n", 1)[0]) or type(exc).__name__
