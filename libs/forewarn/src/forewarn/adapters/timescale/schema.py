"""Extends the tables of the asset classes, their roll-ups and policies to what the catalogue needs.

Only adds: tables, columns, aggregates, policies. What has left the catalogue stays.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import scalar_row, tuple_row

from forewarn.adapters.timescale import rollups
from forewarn.adapters.timescale.lifecycle import LifeCycle
from forewarn.adapters.timescale.rollups import WIDTHS, RollUpSource, Width
from forewarn.adapters.timescale.server import Edition
from forewarn.adapters.timescale.tables import ASSET_KEY, TIME, WideTable
from forewarn.contracts.frames import quality_column

HEALTH: Final = "asset_health"
_KEY: Final = (TIME, ASSET_KEY)


class SchemaChanger:
    """Runs additive changes on one autocommit connection and remembers each in ``changes``."""

    def __init__(self, connection: psycopg.Connection, edition: Edition, lifecycle: LifeCycle) -> None:
        self._connection = connection
        self._edition = edition
        self._lifecycle = lifecycle
        self.changes: list[str] = []

    def ensure_table(self, table: WideTable) -> None:
        """Add whatever a wide table lacks: table, columns, time partitioning, roll-ups, readable view."""
        present = self._columns(table.name)
        if not present:
            self._create(table)
        else:
            self._add_columns(table, present)
        self.ensure_hypertable(table.name)
        source = RollUpSource(table=table.name, columns=self._columns(table.name))
        self._ensure_view(_readable_name(table.name), _readable_view(source))
        self._ensure_roll_ups(source)

    def ensure_hypertable(self, name: str) -> None:
        """Partition a table by time and give it its policies, as far as the server can."""
        if not self._edition.has_hypertables:
            return
        known = self._value("SELECT 1 FROM timescaledb_information.hypertables WHERE hypertable_name = %s", name)
        if known is None:
            self._run(
                f"hypertable {name}",
                sql.SQL(
                    "SELECT create_hypertable({}, {}, chunk_time_interval => {}, "
                    "create_default_indexes => false, migrate_data => true)"
                ).format(sql.Literal(name), sql.Literal(TIME), sql.Literal(self._lifecycle.chunk)),
            )
        if self._edition is Edition.COMMUNITY:
            self._ensure_compression("TABLE", name)

    def ensure_policy(self, kind: str, relation: str, arguments: sql.Composed) -> None:
        """Add a TimescaleDB job (``kind`` as in ``add_<kind>_policy``) unless the relation has one."""
        statement = sql.SQL("SELECT {}({}, {}, if_not_exists => true)").format(
            sql.Identifier(f"add_{kind}_policy"), sql.Literal(relation), arguments
        )
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            job = cursor.execute(statement).fetchone()
        if job is not None and job >= 0:  # −1: it existed
            self.changes.append(f"{kind} policy of {relation}")

    def _create(self, table: WideTable) -> None:
        definitions = [sql.SQL("{} {}{}").format(
            sql.Identifier(c.name), sql.SQL(c.pg_type), sql.SQL(" NOT NULL" if c.name in _KEY else "")
        ) for c in table.columns]  # fmt: skip
        with self._connection.transaction():
            self._run(
                f"table {table.name}",
                sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY (asset_key, ts))").format(
                    sql.Identifier(table.name), sql.SQL(", ").join(definitions)
                ),
            )
            for column in table.columns:
                self._comment(table.name, column.name, column.comment)

    def _add_columns(self, table: WideTable, present: Sequence[str]) -> None:
        for column in table.columns:
            if column.name not in present:
                with self._connection.transaction():
                    self._run(
                        f"column {table.name}.{column.name}",
                        sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                            sql.Identifier(table.name), sql.Identifier(column.name), sql.SQL(column.pg_type)
                        ),
                    )
                    self._comment(table.name, column.name, column.comment)

    def _ensure_roll_ups(self, source: RollUpSource) -> None:
        if self._edition is not Edition.COMMUNITY:
            for width in WIDTHS:
                name = rollups.view_name(source.table, width.roll_up)
                self._ensure_view(name, rollups.view_over_table(source, width))
            return
        parts = self._parts(source)
        covered = {column for part in parts for column in part}
        missing = tuple(column for column in source.values if column not in covered)
        if missing:
            parts.append(missing)
        for number, columns in enumerate(parts, start=1):
            for width in WIDTHS:
                self._ensure_part(source, columns, width, number)
        for width in WIDTHS:
            name = rollups.view_name(source.table, width.roll_up)
            self._ensure_view(name, rollups.view_over_parts(source, width, parts))

    def _parts(self, source: RollUpSource) -> list[tuple[str, ...]]:
        """Return the columns of the existing parts; the finest width is always made first."""
        parts: list[tuple[str, ...]] = []
        while True:
            held = self._columns(rollups.part_name(source.table, WIDTHS[0].roll_up, len(parts) + 1))
            if not held:
                return parts
            parts.append(tuple(column for column in source.values if f"sum_{column}" in held))

    def _ensure_part(self, source: RollUpSource, columns: Sequence[str], width: Width, number: int) -> None:
        name = rollups.part_name(source.table, width.roll_up, number)
        if not self._columns(name):
            self._run(f"continuous aggregate {name}", rollups.continuous_aggregate(source, columns, width, number))
            # Rows from before may be older than the policy looks back. Not up to now: what comes
            # later into a bucket that is refreshed already stays unseen until the policy reaches it.
            self._connection.execute(
                sql.SQL("CALL refresh_continuous_aggregate({}, NULL, now() - {})").format(
                    sql.Literal(name), sql.Literal(width.end_offset)
                )
            )
        self._ensure_compression("MATERIALIZED VIEW", name)
        start = self._lifecycle.refresh_from + width.end_offset
        self.ensure_policy(
            "continuous_aggregate",
            name,
            sql.SQL("start_offset => {}, end_offset => {}, schedule_interval => {}").format(
                sql.Literal(start), sql.Literal(width.end_offset), sql.Literal(width.refresh_every)
            ),
        )
        self.ensure_policy(
            "compression", name, sql.SQL("compress_after => {}").format(sql.Literal(self._lifecycle.compress_after))
        )
        keep = self._lifecycle.roll_ups.get(width.roll_up)
        if keep is not None:
            self.ensure_policy("retention", name, sql.SQL("drop_after => {}").format(sql.Literal(keep)))

    def _ensure_compression(self, kind: str, name: str) -> None:
        enabled = self._value(
            "SELECT compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_name = %s"
            if kind == "TABLE"
            else "SELECT compression_enabled FROM timescaledb_information.continuous_aggregates WHERE view_name = %s",
            name,
        )
        if not enabled:
            order = sql.SQL("ts DESC" if kind == "TABLE" else "bucket DESC")
            self._run(
                f"compression of {name}",
                sql.SQL(
                    "ALTER {} {} SET (timescaledb.compress, timescaledb.compress_segmentby = 'asset_key', "
                    "timescaledb.compress_orderby = {})"
                ).format(sql.SQL(kind), sql.Identifier(name), sql.Literal(order.as_string(None))),
            )
        if kind == "TABLE":
            self.ensure_policy(
                "compression", name, sql.SQL("compress_after => {}").format(sql.Literal(self._lifecycle.compress_after))
            )

    def _ensure_view(self, name: str, statement: sql.Composed) -> None:
        """Define a view unless it has this definition already: its comment holds a digest of it."""
        digest = hashlib.sha256(statement.as_string(None).encode()).hexdigest()[:16]
        mark = f"Generated from the catalogue by Forewarn ({digest})."
        if self._value("SELECT obj_description(to_regclass(%s), 'pg_class')", name) == mark:
            return
        with self._connection.transaction():
            self._run(f"view {name}", statement)
            self._connection.execute(
                sql.SQL("COMMENT ON VIEW {} IS {}").format(sql.Identifier(name), sql.Literal(mark))
            )

    def _columns(self, relation: str) -> tuple[str, ...]:
        """Return the columns in the order they were added; empty if there is no such relation."""
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
                "ORDER BY attnum",
                [relation],
            )
            return tuple(str(name) for (name,) in cursor)

    def _comment(self, table: str, column: str, text: str) -> None:
        self._connection.execute(
            sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(
                sql.Identifier(table), sql.Identifier(column), sql.Literal(text)
            )
        )

    def _run(self, change: str, statement: sql.Composed) -> None:
        self._connection.execute(statement)
        self.changes.append(change)

    def _value(self, query: str, *parameters: str) -> object:
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(query.encode(), parameters).fetchone()


def readable_names(tables: Iterable[str]) -> list[str]:
    """Return the names of all views made for these tables."""
    return [
        name
        for table in tables
        for name in (_readable_name(table), *(rollups.view_name(table, width.roll_up) for width in WIDTHS))
    ]


def _readable_name(table: str) -> str:
    return f"{table}_v"


def _readable_view(source: RollUpSource) -> sql.Composed:
    """Return the statement of the table's view with asset ids and unsigned status codes."""
    qualities = {quality_column(c) for c in source.columns if source.has_quality(c)}
    columns = [
        sql.SQL("COALESCE({0}, 0)::bigint & 4294967295 AS {0}").format(sql.Identifier(c))
        if c in qualities
        else sql.SQL("{}").format(sql.Identifier(c))
        for c in source.columns
    ]
    return sql.SQL("CREATE OR REPLACE VIEW {} AS\nSELECT asset_id, {}\nFROM {} JOIN asset USING (asset_key)").format(
        sql.Identifier(_readable_name(source.table)), sql.SQL(", ").join(columns), sql.Identifier(source.table)
    )
