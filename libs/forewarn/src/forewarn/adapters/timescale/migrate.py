"""Migrates a database to the schema this version needs: ``migrate(database_url, catalogue)``.

First the numbered steps (Alembic, plain SQL), then what follows from the catalogue. Several processes may call it at
once: one works, the others wait and find nothing to do.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import errors, sql

from forewarn.adapters.timescale.connection import connection_arguments, describe
from forewarn.adapters.timescale.lifecycle import LifeCycle
from forewarn.adapters.timescale.roles import ensure_roles
from forewarn.adapters.timescale.schema import HEALTH, SchemaChanger, readable_names
from forewarn.adapters.timescale.server import DatabaseServer, Edition, inspect_server, install_timescaledb
from forewarn.adapters.timescale.tables import WideTable, wide_tables
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.limits import GB
from forewarn.ports.store import StoreUnavailable

_LOCK: Final = 0x464F5245  # "FORE": one migration at a time and database
_LOCK_TIMEOUT: Final = "120s"
_VERSION_TABLE: Final = "forewarn_schema_version"


class MigrationError(Exception):
    """The schema could not be migrated; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """The server, what was changed (empty: nothing), and what could not be done."""

    server: DatabaseServer
    revision: str
    changes: tuple[str, ...]
    notices: tuple[str, ...]


def migrate(
    database_url: str, catalogue: Mapping[str, AssetClass], *, lifecycle: LifeCycle | None = None
) -> MigrationReport:
    """Create or extend the schema. Only adds; safe to repeat and to run from several processes.

    Raises
    ------
    StoreUnavailable
        If the database cannot be reached; try again.
    MigrationError
        If this role lacks a right, or another migration takes too long.
    """
    settings = {"lock_timeout": _LOCK_TIMEOUT, "client_min_messages": "warning"}
    arguments = connection_arguments(database_url, application="forewarn-migrate", settings=settings)
    try:
        with closing(psycopg.connect(**arguments, autocommit=True)) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            return _migrate(connection, arguments, catalogue, lifecycle or LifeCycle())
    except errors.LockNotAvailable as exc:
        raise MigrationError(
            f"waited {_LOCK_TIMEOUT} for a lock: is another migration or a long query running?"
        ) from exc
    except errors.InsufficientPrivilege as exc:
        raise MigrationError(
            f"the role of DATABASE_URL may not change the schema ({exc.diag.message_primary}): "
            "migrate with the role that owns the database"
        ) from exc
    except psycopg.OperationalError as exc:
        raise StoreUnavailable(f"{describe(database_url)}: {str(exc).strip()}") from exc


def _migrate(
    connection: psycopg.Connection,
    arguments: Mapping[str, Any],
    catalogue: Mapping[str, AssetClass],
    lifecycle: LifeCycle,
) -> MigrationReport:
    notice = install_timescaledb(connection)
    server = inspect_server(connection)
    before, revision = _run_steps(arguments)
    changer = SchemaChanger(connection, server.edition, lifecycle)
    if before != revision:
        changer.changes.append(f"steps {before or 'none'} to {revision}")
    tables = [table for name in sorted(catalogue) for table in wide_tables(catalogue[name])]
    for table in tables:
        changer.ensure_table(table)
    changer.ensure_hypertable(HEALTH)
    _ensure_retention(connection, changer, server.edition, tables, lifecycle)
    names = tuple(table.name for table in tables)
    notices = (*((notice,) if notice else ()), *ensure_roles(connection, names, readable_names(names)))
    return MigrationReport(server=server, revision=revision, changes=tuple(changer.changes), notices=notices)


def _run_steps(arguments: Mapping[str, Any]) -> tuple[str | None, str]:
    """Run the missing numbered steps; returns the revisions before and after."""
    engine = sa.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(**arguments), poolclass=sa.pool.NullPool
    )
    try:
        with as_file(files("forewarn.adapters.timescale") / "migrations") as directory, engine.begin() as connection:
            config = Config(attributes={"connection": connection, "version_table": _VERSION_TABLE})
            config.set_main_option("script_location", str(directory))
            config.set_main_option("path_separator", "os")
            context = MigrationContext.configure(connection, opts={"version_table": _VERSION_TABLE})
            before = context.get_current_revision()
            command.upgrade(config, "head")
            head = ScriptDirectory.from_config(config).get_current_head()
    except sa.exc.DBAPIError as exc:
        raise exc.orig or exc from exc  # the driver's own error, which the caller knows
    if head is None:
        raise MigrationError("the package's migration steps are missing: install it again")
    return before, head


def _ensure_retention(
    connection: psycopg.Connection,
    changer: SchemaChanger,
    edition: Edition,
    tables: list[WideTable],
    lifecycle: LifeCycle,
) -> None:
    """Store the retention ages, and hand them to TimescaleDB where it can apply them itself."""
    series = {table.name: lifecycle.drop_after for table in tables} | {HEALTH: lifecycle.health}
    means = {Edition.PLAIN: "asset_rows", Edition.APACHE: "chunks", Edition.COMMUNITY: "policy"}[edition]
    rules = [(name, "ts", keep, means, "series") for name, keep in series.items()]
    rules += [
        ("rejected", "rejected_at", lifecycle.rejected, "rows", "rejected"),
        ("alarm_event", "at", lifecycle.alarm_events, "rows", "events"),
    ]
    before: dict[str, object] = dict(connection.execute("SELECT table_name, keep FROM retention").fetchall())
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO retention AS r (table_name, time_column, keep, means, kind) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (table_name) DO UPDATE SET keep = excluded.keep, means = excluded.means, kind = excluded.kind "
            "WHERE (r.keep, r.means, r.kind) IS DISTINCT FROM (excluded.keep, excluded.means, excluded.kind)",
            rules,
        )
        had: dict[str, int] = dict(cursor.execute("SELECT kind, bytes FROM disk_budget").fetchall())
        if had != lifecycle.budgets:
            cursor.execute("DELETE FROM disk_budget")
            cursor.executemany("INSERT INTO disk_budget VALUES (%s, %s)", list(lifecycle.budgets.items()))
            changer.changes.append(
                "disk budgets: " + (", ".join(f"{k} {v / GB:g} GB" for k, v in lifecycle.budgets.items()) or "none")
            )
    if edition is Edition.COMMUNITY:
        for name, keep in series.items():
            if before.get(name, keep) != keep:
                connection.execute("SELECT remove_retention_policy(%s::regclass, if_exists => true)", [name])
            changer.ensure_policy("retention", name, sql.SQL("drop_after => {}").format(sql.Literal(keep)))
