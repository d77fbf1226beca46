"""Group roles with the least rights each service needs, for deployments to grant to login roles.

The migrating role owns everything.
"""

from collections.abc import Sequence
from typing import Final, LiteralString

import psycopg
from psycopg import errors, sql
from psycopg.rows import scalar_row

SINK_ROLE: Final = "forewarn_sink"
API_ROLE: Final = "forewarn_api"

_UPSERTED: Final = ("asset", "asset_health", "alarm", "model", "sink_offset")
_APPENDED: Final = ("alarm_event", "rejected")
_SINK_FUNCTIONS: Final = ("forewarn_retain", "forewarn_begin_purge", "forewarn_purge")
_READ: Final = ("asset", "asset_health", "alarm", "alarm_event", "rejected", "model", "retention")


def ensure_roles(connection: psycopg.Connection, tables: Sequence[str], views: Sequence[str]) -> tuple[str, ...]:
    """Create the group roles if this role may, and grant them their rights.

    ``tables`` are the wide tables, ``views`` their views.

    Returns
    -------
    tuple[str, ...]
        Notices about what could not be done.
    """
    with connection.cursor(row_factory=scalar_row) as cursor:
        missing = [role for role in (SINK_ROLE, API_ROLE) if not _exists(cursor, role)]
        may_create = cursor.execute(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    if missing and not may_create:
        return (f"no group roles: this role may not create {' and '.join(missing)}; let an administrator do it",)
    for role in missing:
        _create(connection, role)
    with connection.transaction():
        _grant(connection, "SELECT, INSERT", (*tables, *_APPENDED), SINK_ROLE)
        _grant(connection, "SELECT, INSERT, UPDATE", _UPSERTED, SINK_ROLE)
        _grant(connection, "SELECT", (*tables, *views, *_READ), API_ROLE)
        for function in _SINK_FUNCTIONS:
            connection.execute(
                sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(
                    sql.Identifier(function), sql.Identifier(SINK_ROLE)
                )
            )
        connection.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                sql.Identifier(connection.info.dbname), sql.Identifier(SINK_ROLE)
            )
        )
    return ()


def _exists(cursor: psycopg.Cursor, role: str) -> bool:
    return cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def _create(connection: psycopg.Connection, role: str) -> None:
    try:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    except (errors.DuplicateObject, errors.UniqueViolation):
        return  # roles belong to the whole server: another database's migration was faster


def _grant(connection: psycopg.Connection, rights: LiteralString, relations: Sequence[str], role: str) -> None:
    connection.execute(
        sql.SQL("GRANT {} ON {} TO {}").format(
            sql.SQL(rights),
            sql.SQL(", ").join(map(sql.Identifier, relations)),
            sql.Identifier(role),
        )
    )
