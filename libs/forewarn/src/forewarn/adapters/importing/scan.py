"""A first look at a file: its times, assets and tags, without keeping rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forewarn.adapters.importing.source import SourceFile
from forewarn.adapters.importing.times import Dates, TimeReader, is_iso, joined
from forewarn.adapters.tables.arrow_types import ArrowArray
from forewarn.adapters.tables.columns import to_numbers
from forewarn.adapters.tables.table import TableError
from forewarn.contracts.importing import TimeColumns, TimeFormat
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.importing.clocks import DateEvidence, number_format
from forewarn.domain.importing.guess import Roles

_SAMPLE_ROWS = 2_000


@dataclass(slots=True)
class Scan:
    """Contents of a file."""

    rows: int = 0  #: Rows with as many values as the header.
    #: Format of the times; None if day and month, or the meaning of numbers, are not certain.
    time_format: TimeFormat | None = None
    time_example: str = ""  #: First time as written.
    numeric_time: bool = False
    #: Distinct values of the asset and tag columns, in order of appearance.
    assets: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    #: First values of each column that holds numbers; of each tag in a long file.
    samples: dict[str, FloatArray] = field(default_factory=dict)


def scan(source: SourceFile, roles: Roles, progress: Callable[[int], None]) -> Scan:
    """Read a file once; ``progress`` is called with the number of rows so far.

    Raises
    ------
    TableError
        If it cannot be read or has no rows.
    """
    found = Scan()
    evidence, lowest, highest, numeric = DateEvidence(), np.inf, -np.inf, True
    for piece in source.pieces():
        if not found.rows:
            _sample(found, piece.columns, roles, decimal_comma=source.decimal_comma)
        found.rows += piece.rows
        progress(found.rows)
        for role, known in ((roles.asset, found.assets), (roles.tag, found.tags)):
            if role is not None:
                fresh = piece.columns[role].cast(pa.string()).unique().drop_null().to_pylist()
                known += [name for name in fresh if name not in known]
        if not roles.time:
            continue
        texts = joined([piece.columns[name] for name in roles.time])
        if is_iso(texts):
            numeric = False
            continue
        numbers, alien = to_numbers(texts, decimal_comma=source.decimal_comma)
        numeric = numeric and alien.size < piece.rows // 2 + 1
        if numeric:
            moments = numbers[~np.isnan(numbers)]
            lowest, highest = min(lowest, moments.min(initial=np.inf)), max(highest, moments.max(initial=-np.inf))
        else:
            evidence |= Dates.of(texts).evidence
    if not found.rows:
        raise TableError(f"{source.path}: no rows")
    found.numeric_time = numeric
    if roles.time:
        found.time_format = number_format(lowest, highest) if numeric else evidence.order
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPace:
    """Times at the beginning of a file: whether they fall, and their usual distance [µs]."""

    descending: bool
    period_us: int


def pace(source: SourceFile, columns: TimeColumns) -> SamplingPace:
    """Measure the pace of the first times."""
    piece = next(source.pieces())
    us = TimeReader(columns, decimal_comma=source.decimal_comma).read(piece).us
    steps = np.diff(us[us != 0][:_SAMPLE_ROWS])
    distances = np.abs(steps[steps != 0])
    return SamplingPace(
        descending=bool(np.count_nonzero(steps < 0) > np.count_nonzero(steps > 0)),
        period_us=int(np.median(distances)) if distances.size else 0,
    )


def _sample(found: Scan, columns: Mapping[str, ArrowArray], roles: Roles, *, decimal_comma: bool) -> None:
    if roles.time:
        first = joined([columns[name].slice(0, 1) for name in roles.time]).to_pylist()
        found.time_example = first[0] or ""
    if roles.tag is not None and roles.value is not None:
        tags, values = columns[roles.tag].cast(pa.string()), columns[roles.value]
        for name in tags.unique().drop_null().to_pylist():
            own = values.filter(pc.equal(tags, name)).slice(0, _SAMPLE_ROWS)
            found.samples[name] = to_numbers(own, decimal_comma=decimal_comma)[0]
        return
    for name, array in columns.items():
        if name not in roles.columns and not pa.types.is_temporal(array.type):
            numbers, alien = to_numbers(array.slice(0, _SAMPLE_ROWS), decimal_comma=decimal_comma)
            if alien.size <= np.count_nonzero(~np.isnan(numbers)):
                found.samples[name] = numbers
