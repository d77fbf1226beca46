"""Detects the server's edition: continuous aggregates with policies, or plain views."""

from dataclasses import dataclass
from enum import StrEnum

import psycopg
from psycopg import errors
from psycopg.rows import scalar_row


class Edition(StrEnum):
    """What the server can do for time series."""

    PLAIN = "plain PostgreSQL"
    APACHE = "TimescaleDB Apache-2"
    COMMUNITY = "TimescaleDB Community"

    @property
    def has_hypertables(self) -> bool:
        """Whether tables are partitioned by time."""
        return self is not Edition.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseServer:
    """A database server and its capabilities."""

    postgres: str
    timescaledb: str | None
    edition: Edition

    def __str__(self) -> str:
        extension = f" {self.timescaledb}" if self.timescaledb else ""
        return f"{self.edition.value}{extension} on PostgreSQL {self.postgres}"


def inspect_server(connection: psycopg.Connection) -> DatabaseServer:
    """Inspect the server."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        postgres = str(cursor.execute("SHOW server_version").fetchone()).split()[0]
        version = cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
        if version is None:
            return DatabaseServer(postgres=postgres, timescaledb=None, edition=Edition.PLAIN)
        licence = cursor.execute("SHOW timescaledb.license").fetchone()
    edition = Edition.COMMUNITY if licence == "timescale" else Edition.APACHE
    return DatabaseServer(postgres=postgres, timescaledb=str(version), edition=edition)


def install_timescaledb(connection: psycopg.Connection) -> str | None:
    """Create the extension where the server has it; returns a notice if it has it but refuses.

    The connection must be in autocommit mode.
    """
    with connection.cursor(row_factory=scalar_row) as cursor:
        available = cursor.execute(
            "SELECT installed_version IS NULL FROM pg_available_extensions WHERE name = 'timescaledb'"
        ).fetchone()
        if not available:
            return None
        try:
            libraries = str(cursor.execute("SHOW shared_preload_libraries").fetchone())
            if "timescaledb" not in libraries:
                return "TimescaleDB is installed but not in shared_preload_libraries: going on without it"
            cursor.execute("CREATE EXTENSION timescaledb")
        except errors.InsufficientPrivilege as exc:
            return f"TimescaleDB is there but this role may not create the extension: {exc.diag.message_primary}"
    return None
