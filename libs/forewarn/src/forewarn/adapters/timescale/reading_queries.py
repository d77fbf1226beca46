"""Statements on the wide tables of an asset class, and the meaning of their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from psycopg import sql
from pydantic import ValidationError

from forewarn.adapters.timescale.rollups import (
    WIDTHS,
    RollUpSource,
    Width,
    bucket_of,
    finished_columns,
    raw_aggregates,
    view_name,
)
from forewarn.adapters.timescale.tables import readings_table, results_table, wide_tables
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import (
    JudgementOverTime,
    JudgementSummary,
    expected_column,
    quality_column,
    residual_column,
)
from forewarn.ports.history import BadQuery, History, Latest, RollUp, Series

_OVER_TIME: Final = tuple(JudgementOverTime.model_fields)
#: Columns of the model that judged a reading, and of its view.
_JUDGED_BY: Final = ("model_version", "regime")
_log = structlog.get_logger(__name__)
_UNSIGNED: Final = 0xFFFFFFFF
#: Widths of roll-ups, finest first.
_BY_ROLL_UP: Final[Mapping[RollUp, Width]] = {width.roll_up: width for width in WIDTHS}

Row = Mapping[str, Any]  # names that start with "_" cannot be a tag's


def width_of(roll_up: RollUp) -> Width:
    """Return the width of a roll-up that is not raw."""
    return _BY_ROLL_UP[roll_up]


def finest_width(start: datetime, end: datetime, max_points: int) -> RollUp:
    """Return the finest roll-up with at most ``max_points`` buckets in a range; days if even they are more."""
    for width in WIDTHS:
        if (end - start) / width.bucket <= max_points - 1:  # the first and the last bucket may be cut
            return width.roll_up
    return WIDTHS[-1].roll_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The columns of one class that a query is about."""

    asset_class: AssetClass
    columns: tuple[str, ...]

    @classmethod
    def of(cls, asset_class: AssetClass, columns: Sequence[str]) -> "Selection":
        """Choose columns; no names mean all.

        Raises
        ------
        BadQuery
            If the class has no such column.
        """
        unknown = [name for name in columns if name not in asset_class.column_names]
        if unknown:
            raise BadQuery(
                f"{asset_class.name} has no column {', '.join(unknown)}; "
                f"there are {', '.join(asset_class.column_names)}"
            )
        return cls(asset_class=asset_class, columns=tuple(dict.fromkeys(columns)) or asset_class.column_names)

    @property
    def tags(self) -> list[str]:
        """Chosen columns that have a quality."""
        return [name for name in self.columns if name in self.asset_class.tag_names]

    @property
    def responses(self) -> list[str]:
        """Chosen columns that the twin predicts."""
        return [name for name in self.columns if name in self.asset_class.twin.responses]


def latest_statement(asset_class: AssetClass) -> sql.Composed:
    """Return the statement for the newest reading and judgement of assets of a class."""
    readings, results = wide_tables(asset_class)
    unread = ("asset_key", "seq", "late", "historical", "verdict")
    reading_columns = [c for c in readings.column_names if c not in unread]
    result_columns = [c for c in results.column_names if c not in ("asset_key", "ts")]
    return sql.SQL(
        "SELECT asset_id, {reading_columns}, judgement.*\n"
        "FROM asset CROSS JOIN LATERAL (\n"
        "    SELECT {reading_columns} FROM {readings} AS r WHERE r.asset_key = asset.asset_key\n"
        "    ORDER BY ts DESC LIMIT 1) AS reading\n"
        "LEFT JOIN LATERAL (\n"
        "    SELECT ts AS _judged_at, {result_columns} FROM {results} AS r WHERE r.asset_key = asset.asset_key\n"
        "    ORDER BY ts DESC LIMIT 1) AS judgement ON true\n"
        "WHERE asset_class = %(asset_class)s AND removed_at IS NULL AND asset_id = ANY (%(asset_ids)s)\n"
        "ORDER BY asset_id"
    ).format(
        readings=sql.Identifier(readings.name),
        results=sql.Identifier(results.name),
        reading_columns=_names(reading_columns),
        result_columns=_names(result_columns),
    )


def latest_of(asset_class: AssetClass, row: Row) -> Latest:
    """Parse a row of ``latest_statement``."""
    judgement = _judgement(row)
    judged = judgement is not None
    responses = asset_class.twin.responses if judged else ()
    return Latest(
        asset_id=row["asset_id"],
        asset_class=asset_class.name,
        ts=row["ts"],
        received_at=row["received_at"],
        values={name: row[name] for name in asset_class.column_names},
        quality={tag: _status(row[quality_column(tag)]) for tag in asset_class.tag_names},
        findings=row["findings"],
        judged_at=row["_judged_at"] if judged else None,
        expected={name: row[expected_column(name)] for name in responses},
        residual={name: row[residual_column(name)] for name in responses},
        judgement=judgement,
    )


def _judgement(row: Row) -> JudgementSummary | None:
    """Parse a judgement; None without one, or if a newer writer used unknown codes."""
    if row["_judged_at"] is None:
        return None
    try:
        return JudgementSummary(**row)
    except ValidationError as exc:
        problems = [f"{error['loc'][0]}: {error['msg']}" for error in exc.errors()[:3]]
        _log.warning("judgement_left_out", asset=row["asset_id"], problem="; ".join(problems))
        return None


def count_statement(asset_class: AssetClass) -> sql.Composed:
    """Return the statement that counts the readings of a range, up to a limit."""
    return sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} LIMIT %(limit)s) AS counted").format(
        sql.Identifier(readings_table(asset_class.name)), _RANGE
    )


def raw_statement(selection: Selection) -> sql.Composed:
    """Return the statement for readings of a range with their judgements, oldest first."""
    name = selection.asset_class.name
    columns = [
        *(sql.SQL("s.{}").format(sql.Identifier(c)) for c in (*_OVER_TIME, *_JUDGED_BY)),
        *(sql.SQL("r.{}").format(sql.Identifier(c)) for c in selection.columns),
        *(sql.SQL("r.{}").format(sql.Identifier(quality_column(c))) for c in selection.tags),
        *(sql.SQL("s.{}").format(sql.Identifier(expected_column(c))) for c in selection.responses),
    ]
    return sql.SQL(
        "SELECT r.ts, 1 AS _count, {columns}\n"
        "FROM (SELECT * FROM {readings} WHERE {range}) AS r\n"
        "LEFT JOIN (SELECT * FROM {results} WHERE {range}) AS s USING (asset_key, ts)\n"
        "ORDER BY r.ts LIMIT %(limit)s"
    ).format(
        columns=sql.SQL(", ").join(columns),
        readings=sql.Identifier(readings_table(name)),
        results=sql.Identifier(results_table(name)),
        range=_RANGE,
    )


def rolled_statement(selection: Selection, width: Width, *, aggregated: bool) -> sql.Composed:
    """Return the statement for the buckets of a range, oldest first.

    With ``aggregated`` they are read from continuous aggregates; without, they are made here from the readings of the
    range alone, where the view of the same name would read the whole table.
    """
    readings, results = wide_tables(selection.asset_class)
    expected = [expected_column(name) for name in selection.responses]
    highest = [name for name in _OVER_TIME if name != "flag"]
    source = _aggregated if aggregated else _made
    columns = [
        *(f"{kind}_{name}" for name in selection.columns for kind in ("avg", "min", "max")),
        *(f"pct_good_{name}" for name in selection.tags),
        *(f"avg_{name}" for name in expected),
    ]
    return sql.SQL(
        "SELECT bucket AS ts, r.count AS _count, flagged > 0 AS flag, {highest}, {columns}\n"
        "FROM ({readings}) AS r LEFT JOIN ({results}) AS s USING (bucket)\nORDER BY bucket LIMIT %(limit)s"
    ).format(
        highest=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sql.Identifier(f"max_{name}"), sql.Identifier(name)) for name in highest
        ),
        columns=_names(columns),
        readings=source(RollUpSource(table=readings.name, columns=readings.column_names), selection.columns, width),
        results=source(RollUpSource(table=results.name, columns=results.column_names), [*expected, *highest], width),
    )


def history_of(asset_id: str, selection: Selection, roll_up: RollUp, rows: Sequence[Row], limit: int) -> History:
    """Parse rows of ``raw_statement`` or ``rolled_statement``, which asked for one more than ``limit``."""
    kept = rows[:limit]
    return History(
        asset_id=asset_id,
        asset_class=selection.asset_class.name,
        roll_up=roll_up,
        ts=_column(kept, "ts"),
        count=_column(kept, "_count"),
        series=tuple(_series(selection, name, roll_up, kept) for name in selection.columns),
        next_start=rows[limit]["ts"] if len(rows) > limit else None,
        **{name: _column(kept, name) for name in (*_OVER_TIME, *(_JUDGED_BY if roll_up is RollUp.RAW else ()))},
    )


def _series(selection: Selection, name: str, roll_up: RollUp, rows: Sequence[Row]) -> Series:
    unit = selection.asset_class.units[name]
    is_tag, is_response = name in selection.tags, name in selection.responses
    if roll_up is RollUp.RAW:
        return Series(
            column=name,
            unit=unit,
            values=_column(rows, name),
            expected=_column(rows, expected_column(name)) if is_response else (),
            quality=tuple(_status(row[quality_column(name)]) for row in rows) if is_tag else (),
        )
    return Series(
        column=name,
        unit=unit,
        values=_column(rows, f"avg_{name}"),
        minimum=_column(rows, f"min_{name}"),
        maximum=_column(rows, f"max_{name}"),
        expected=_column(rows, f"avg_{expected_column(name)}") if is_response else (),
        pct_good=_column(rows, f"pct_good_{name}") if is_tag else (),
    )


def _aggregated(source: RollUpSource, columns: Sequence[str], width: Width) -> sql.Composed:
    wanted = [f"{kind}_{name}" for name in columns for kind in ("avg", "min", "max")]
    wanted += [f"pct_good_{name}" for name in columns if source.has_quality(name)]
    wanted += ["flagged"] if source.has_flag else []
    return sql.SQL(
        "SELECT bucket, count, {} FROM {} WHERE asset_key = %(asset_key)s AND bucket >= %(start)s AND bucket < %(end)s"
    ).format(_names(wanted), sql.Identifier(view_name(source.table, width.roll_up)))


def _made(source: RollUpSource, columns: Sequence[str], width: Width) -> sql.Composed:
    flagged = [sql.SQL("flagged").format()] if source.has_flag else []
    count = sql.SQL("count").format()
    return sql.SQL("SELECT bucket, {} FROM (SELECT {} AS bucket, {} FROM {} WHERE {} GROUP BY 1) AS made").format(
        sql.SQL(", ").join([count, *flagged, *finished_columns(source, columns, count)]),
        bucket_of(width),
        sql.SQL(", ").join(raw_aggregates(source, columns)),
        sql.Identifier(source.table),
        _RANGE,
    )


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _column(rows: Sequence[Row], name: str) -> tuple[Any, ...]:
    return tuple(row[name] for row in rows)


def _status(stored: int | None) -> int:
    return 0 if stored is None else stored & _UNSIGNED


_RANGE: Final = sql.SQL("asset_key = %(asset_key)s AND ts >= %(start)s AND ts < %(end)s")
