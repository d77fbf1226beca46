"""Roll-ups: ``<table>_1m``, ``<table>_1h`` and ``<table>_1d`` with the same columns on every server.

The public name is a view. On TimescaleDB Community it reads continuous aggregates: one *part* holds the
columns that were there when the roll-up was made, every later migration that adds columns adds a part
with those (an aggregate cannot gain columns, and rebuilding it would lose what is older than the
readings). Hours are made of minutes and days of hours. What is not aggregated yet is read from the table, so the newest
bucket is always there; a late reading shows in its bucket after the next refresh (5 min, 30 min, 6 h). Elsewhere
the view aggregates the table itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from psycopg import sql

from forewarn.adapters.timescale.tables import ASSET_KEY, TIME
from forewarn.contracts.frames import FIXED_COLUMNS, contribution_column, quality_column
from forewarn.ports.history import RollUp

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """Width of buckets: made from the next finer ones, refreshed until ``end_offset`` before now."""

    roll_up: RollUp
    bucket: timedelta
    finer: RollUp
    end_offset: timedelta
    refresh_every: timedelta


WIDTHS: Final = (
    Width(
        roll_up=RollUp.MINUTE,
        bucket=timedelta(minutes=1),
        finer=RollUp.RAW,
        end_offset=timedelta(minutes=2),
        refresh_every=timedelta(minutes=5),
    ),
    Width(
        roll_up=RollUp.HOUR,
        bucket=_HOUR,
        finer=RollUp.MINUTE,
        end_offset=2 * _HOUR,
        refresh_every=timedelta(minutes=30),
    ),
    Width(roll_up=RollUp.DAY, bucket=24 * _HOUR, finer=RollUp.HOUR, end_offset=48 * _HOUR, refresh_every=6 * _HOUR),
)

#: Columns whose mean makes no sense.
_NOT_ROLLED: Final = {ASSET_KEY, *(column.name for column in FIXED_COLUMNS if not column.dtype.startswith("float"))}
_NOT_ROLLED_PREFIXES: Final = (quality_column(""), contribution_column(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUpSource:
    """A wide table as it is in the database: its columns in the order they were added."""

    table: str
    columns: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """Columns that are rolled up."""
        return tuple(c for c in self.columns if c not in _NOT_ROLLED and not c.startswith(_NOT_ROLLED_PREFIXES))

    def has_quality(self, column: str) -> bool:
        """Return whether a column is a tag with its own quality."""
        return quality_column(column) in self.columns

    @property
    def has_flag(self) -> bool:
        """Whether these are results."""
        return "flag" in self.columns


def view_name(table: str, roll_up: RollUp) -> str:
    """Return the public name of a roll-up."""
    return table if roll_up is RollUp.RAW else f"{table}_{roll_up.value}"


def part_name(table: str, roll_up: RollUp, part: int) -> str:
    """Return the name of the continuous aggregate behind it."""
    return f"{view_name(table, roll_up)}_part{part}"


def raw_aggregates(source: RollUpSource, columns: Sequence[str]) -> list[sql.Composed]:
    """Return the columns of a bucket, from which every coarser bucket can be made."""
    parts = [sql.SQL("count(*) AS {}").format(sql.Identifier("count"))]
    if source.has_flag:
        parts.append(sql.SQL("count(*) FILTER (WHERE flag) AS {}").format(sql.Identifier("flagged")))
    for column in columns:
        name = sql.Identifier(column)
        parts += [
            sql.SQL("sum({}::double precision) AS {}").format(name, sql.Identifier(f"sum_{column}")),
            sql.SQL("min({}) AS {}").format(name, sql.Identifier(f"min_{column}")),
            sql.SQL("max({}) AS {}").format(name, sql.Identifier(f"max_{column}")),
            sql.SQL("count({}) AS {}").format(name, sql.Identifier(f"n_{column}")),
        ]
        if source.has_quality(column):
            parts.append(
                sql.SQL("count({}) FILTER (WHERE {} IS NULL) AS {}").format(
                    name, sql.Identifier(quality_column(column)), sql.Identifier(f"good_{column}")
                )
            )
    return parts


def _coarser_aggregates(source: RollUpSource, columns: Sequence[str]) -> list[sql.Composed]:
    counts = ["count", *(["flagged"] if source.has_flag else [])]
    parts = [_total(name) for name in counts]
    for column in columns:
        parts += [
            sql.SQL("sum({0}) AS {0}").format(sql.Identifier(f"sum_{column}")),
            sql.SQL("min({0}) AS {0}").format(sql.Identifier(f"min_{column}")),
            sql.SQL("max({0}) AS {0}").format(sql.Identifier(f"max_{column}")),
            _total(f"n_{column}"),
        ]
        if source.has_quality(column):
            parts.append(_total(f"good_{column}"))
    return parts


def _total(name: str) -> sql.Composed:
    return sql.SQL("sum({0})::bigint AS {0}").format(sql.Identifier(name))


def continuous_aggregate(source: RollUpSource, columns: Sequence[str], width: Width, part: int) -> sql.Composed:
    """Return the statement that creates one part of a roll-up, empty."""
    from_raw = width.finer is RollUp.RAW
    aggregates = raw_aggregates(source, columns) if from_raw else _coarser_aggregates(source, columns)
    finer = source.table if from_raw else part_name(source.table, width.finer, part)
    return sql.SQL(
        "CREATE MATERIALIZED VIEW {} WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS\n"
        "SELECT time_bucket({}, {}) AS bucket, asset_key, {}\nFROM {} GROUP BY 1, 2 WITH NO DATA"
    ).format(
        sql.Identifier(part_name(source.table, width.roll_up, part)),
        sql.Literal(width.bucket),
        sql.Identifier(TIME if from_raw else "bucket"),
        sql.SQL(", ").join(aggregates),
        sql.Identifier(finer),
    )


def finished_columns(source: RollUpSource, columns: Sequence[str], count: sql.Composable) -> list[sql.Composed]:
    """Return means, extremes and shares of good quality, computed from a bucket's columns."""
    finished = []
    for column in columns:
        finished += [
            sql.SQL("{} / NULLIF({}, 0) AS {}").format(
                sql.Identifier(f"sum_{column}"), sql.Identifier(f"n_{column}"), sql.Identifier(f"avg_{column}")
            ),
            sql.SQL("{}").format(sql.Identifier(f"min_{column}")),
            sql.SQL("{}").format(sql.Identifier(f"max_{column}")),
        ]
        if source.has_quality(column):
            finished.append(
                sql.SQL("100.0::double precision * {} / {} AS {}").format(
                    sql.Identifier(f"good_{column}"), count, sql.Identifier(f"pct_good_{column}")
                )
            )
    return finished


def view_over_table(source: RollUpSource, width: Width) -> sql.Composed:
    """Return the statement that defines a roll-up as a plain view."""
    inner = sql.SQL("(SELECT {} AS bucket, asset_key, {} FROM {} GROUP BY 1, 2)").format(
        bucket_of(width), sql.SQL(", ").join(raw_aggregates(source, source.values)), sql.Identifier(source.table)
    )
    return _public_view(source, width, sql.SQL("{} AS part1").format(inner))


def view_over_parts(source: RollUpSource, width: Width, parts: Sequence[Sequence[str]]) -> sql.Composed:
    """Return the statement that defines a roll-up over its continuous aggregates; ``parts`` are their columns."""
    joined = sql.SQL("{} AS part1").format(sql.Identifier(part_name(source.table, width.roll_up, 1)))
    for number, columns in enumerate(parts[1:], start=2):
        keys = [sql.SQL("bucket"), sql.SQL("asset_key")]
        later = sql.SQL("(SELECT {} FROM {})").format(
            sql.SQL(", ").join([*keys, *(sql.Identifier(c) for c in _kept_names(source, columns))]),
            sql.Identifier(part_name(source.table, width.roll_up, number)),
        )
        joined = sql.SQL("{} LEFT JOIN {} AS {} USING (bucket, asset_key)").format(
            joined, later, sql.Identifier(f"part{number}")
        )
    return _public_view(source, width, joined)


def _kept_names(source: RollUpSource, columns: Sequence[str]) -> list[str]:
    names = []
    for column in columns:
        names += [f"{prefix}_{column}" for prefix in ("sum", "min", "max", "n")]
        if source.has_quality(column):
            names.append(f"good_{column}")
    return names


def _public_view(source: RollUpSource, width: Width, rows: sql.Composed) -> sql.Composed:
    count = sql.SQL("part1.") + sql.Identifier("count")
    flagged = [sql.SQL("flagged").format()] if source.has_flag else []
    return sql.SQL(
        "CREATE OR REPLACE VIEW {} AS\nSELECT asset_id, bucket, asset_key, {}\nFROM {} JOIN asset USING (asset_key)"
    ).format(
        sql.Identifier(view_name(source.table, width.roll_up)),
        sql.SQL(", ").join([count, *flagged, *finished_columns(source, source.values, count)]),
        rows,
    )


def bucket_of(width: Width, column: str = TIME) -> sql.Composed:
    """Return the start of a time's bucket, UTC, in plain PostgreSQL."""
    return sql.SQL("date_bin({}, {}, TIMESTAMPTZ '2000-01-01 00:00:00+00')").format(
        sql.Literal(width.bucket), sql.Identifier(column)
    )
