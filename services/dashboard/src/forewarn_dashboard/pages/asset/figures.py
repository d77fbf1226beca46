"""Charts: pure functions from data to plotly figures. Colours live in the style sheet (see ``TRACE_UIDS``)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise, zip_longest
from statistics import median
from typing import Any, Final

import plotly.graph_objects as go

from forewarn.contracts.frames import expected_column
from forewarn_dashboard.client import HistoryColumns, JudgedReading, interval_columns
from forewarn_dashboard.formatting import plot_time
from forewarn_dashboard.pages.asset.timerange import TimeRange

#: Each trace's ``uid``: plotly turns it into a CSS class ``trace<uid>``, so one style sheet themes all charts.
TRACE_UIDS: Final = ("low", "high", "expected", "value", "score", "deviation", "flag")

TREND_POINTS: Final = 600  #: most points of a line, about as many as a screen has columns
HISTORY_POINTS: Final = 4000  #: most rows of a chart: half an hour of readings a second, not rolled up
_GAP_STEPS: Final = 4  # usual steps without a reading that make a hole
_HOLE_EDGE: Final = timedelta(seconds=1)  # how close to a hole line and band end; as in forewarn.js
_FEW_POINTS: Final = 2  # fewer are drawn as points: a line through them is hardly visible
_USUAL_OVER: Final = 5  # steps on either side that define the usual step
_NEUTRAL: Final = "#6b7280"
_ABNORMAL: Final = "#c2410c"

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Data of a trend chart; ``predicted``: the twin predicts the tag, though perhaps not yet."""

    tag: str
    title: str
    unit: str
    predicted: bool


def trend(history: HistoryColumns, spec: Trend, window: TimeRange, tz: tzinfo) -> go.Figure:
    """Draw measured against expected values with the interval of 90 % of a healthy machine's readings."""
    axis = _axis(history.times, history.column(spec.tag), tz)
    figure = _base(window, tz, spec.unit)
    if spec.predicted:
        expected = axis.column(history.column(expected_column(spec.tag)))
        low, high = _closed(*(axis.column(history.column(name)) for name in interval_columns(spec.tag)))
        figure.add_scatter(**_line(axis, low, "low", _NEUTRAL, 0), hoverinfo="skip")
        figure.add_scatter(
            **_line(axis, high, "high", _NEUTRAL, 0),
            fill="tonexty",
            fillcolor="rgba(107,114,128,0.16)",
            hoverinfo="skip",
        )
        figure.add_scatter(**_line(axis, expected, "expected", _NEUTRAL, 1.4, dash="4px,3px"), name="expected")
    measured = axis.column(history.column(spec.tag))
    figure.add_scatter(**_line(axis, measured, "value", "#1f2937", 1.6), name="measured")
    return _say_if_empty(figure, measured)


def thinned(times: Sequence[datetime], values: Values) -> list[int]:
    """Return the rows to draw: all, or lowest and highest of each of 300 stretches, so that spikes survive."""
    rows = len(times)
    if rows <= TREND_POINTS:
        return list(range(rows))
    stretches = TREND_POINTS // 2
    chosen: list[int] = []
    for k in range(stretches):
        stretch = range(k * rows // stretches, (k + 1) * rows // stretches)
        known = [i for i in stretch if values[i] is not None]
        if known:
            ends = {min(known, key=lambda i: values[i] or 0.0), max(known, key=lambda i: values[i] or 0.0)}
            chosen += sorted(ends)
        else:
            chosen.append(stretch[0])
    if chosen[-1] != rows - 1:
        chosen.append(rows - 1)  # live lines continue from the newest row
    return chosen


def anomaly(history: HistoryColumns, window: TimeRange, tz: tzinfo) -> go.Figure:
    """Draw anomaly score and deviation from 0 to 100; persistent anomalies are shaded."""
    axis = _axis(history.times, history.column("score"), tz)
    flagged = [100.0 if flag else 0.0 for flag in axis.column(history.column("flag"))]
    figure = _base(window, tz, "0–100")
    figure.add_scatter(
        **_line(axis, flagged, "flag", _ABNORMAL, 0),
        fill="tozeroy",
        fillcolor="rgba(194,65,12,0.18)",
        line_shape="hv",
        hoverinfo="skip",
    )
    deviation = axis.column(history.column("deviation"))
    figure.add_scatter(**_line(axis, deviation, "deviation", _NEUTRAL, 1.4, dash="4px,3px"), name="deviation")
    score = axis.column(history.column("score"))
    figure.add_scatter(**_line(axis, score, "score", "#1f2937", 1.6), name="score")
    figure.update_yaxes(range=[0, 102], tickvals=[0, 25, 50, 75, 100])
    return _say_if_empty(figure, score)


def live_columns(readings: Iterable[JudgedReading], tags: Iterable[str]) -> dict[str, list[float | None]]:
    """Return the columns that continue the charts: ``tag:uid`` for trends, ``:uid`` for the anomaly chart."""
    rows = list(readings)
    columns: dict[str, list[float | None]] = {
        ":score": [row.score for row in rows],
        ":deviation": [row.deviation for row in rows],
        ":flag": [100.0 if row.flag else 0.0 for row in rows],
    }
    for tag in tags:
        columns[f"{tag}:value"] = [row.values.get(tag) for row in rows]
        columns[f"{tag}:expected"] = [row.expected.get(tag) for row in rows]
        columns[f"{tag}:low"] = [row.expected_low.get(tag) for row in rows]
        columns[f"{tag}:high"] = [row.expected_high.get(tag) for row in rows]
    return columns


def bucket(window: TimeRange) -> timedelta:
    """Return the time between two points of a chart."""
    return window.span / TREND_POINTS


def _line(axis: "_Axis", values: Values, uid: str, colour: str, width: float, dash: str = "solid") -> dict[str, Any]:
    line = {"color": colour, "width": width, "dash": dash}
    known = sum(value is not None for value in values)
    mode = "lines+markers" if width and known <= _FEW_POINTS else "lines"
    marker = {"size": 5, "color": colour}
    drawn = {"mode": mode, "uid": uid, "line": line, "marker": marker, "connectgaps": False}
    return {"x": axis.texts, "y": values} | drawn


@dataclass(frozen=True, slots=True)
class _Axis:
    """Rows to draw, with blank points on both sides of every hole in the data.

    A line across an hour without readings would pretend to know them.
    """

    texts: list[str]
    rows: list[int | None]

    def column(self, values: Values) -> list[float | None]:
        """Return a column along the axis, with unknown values at the blank points."""
        return [None if row is None else values[row] for row in self.rows]


def _axis(times: Sequence[datetime], values: Values, tz: tzinfo) -> _Axis:
    before_hole = _holes(times)
    axis = _Axis([], [])
    for row, following in zip_longest(chosen := thinned(times, values), chosen[1:]):
        axis.texts.append(plot_time(times[row], tz))
        axis.rows.append(row)
        hole = next((i for i in before_hole if row <= i < (following or row)), None)
        if hole is not None:
            edge = min((times[hole + 1] - times[hole]) / _GAP_STEPS, _HOLE_EDGE)
            axis.texts.extend([plot_time(times[hole] + edge, tz), plot_time(times[hole + 1] - edge, tz)])
            axis.rows.extend([None, None])
    return axis


def _holes(times: Sequence[datetime]) -> list[int]:
    """Return the rows before steps much longer than the usual ones on either side.

    The usual step may change: a history with a reading every 5 min, then live ones every 10 s.
    """
    steps_s = [(b - a).total_seconds() for a, b in pairwise(times)]
    found = []
    for row, step_s in enumerate(steps_s):
        sides = steps_s[max(row - _USUAL_OVER, 0) : row], steps_s[row + 1 : row + 1 + _USUAL_OVER]
        usual_s = max((median(side) for side in sides if side), default=step_s)
        if step_s > _GAP_STEPS * usual_s > 0.0:
            found.append(row)
    return found


def _closed(low: Values, high: Values) -> tuple[list[float | None], list[float | None]]:
    """Make band edges meet where the band is unknown, as plotly fills wrongly across missing points."""
    edges: list[tuple[float, float]] = []
    last: float | None = next(
        ((a + b) / 2 for a, b in zip(low, high, strict=True) if a is not None and b is not None), None
    )
    if last is None:
        return list(low), list(high)
    for a, b in zip(low, high, strict=True):
        if a is None or b is None:
            edges.append((last, last))
        else:
            edges.append((a, b))
            last = (a + b) / 2
    return [a for a, _ in edges], [b for _, b in edges]


def _say_if_empty(figure: go.Figure, values: Values) -> go.Figure:
    """Add a note to an empty chart; the browser removes it with the first live reading."""
    if all(value is None for value in values):
        figure.add_annotation(text="No values in this range", xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False)
    return figure


def _tick_format(span: timedelta) -> str:
    if span <= timedelta(minutes=10):
        return "%H:%M:%S"
    return "%H:%M" if span <= timedelta(hours=13) else "%d %b %H:%M"


def _base(window: TimeRange, tz: tzinfo, unit: str) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        template="none",
        showlegend=False,
        margin={"l": 48, "r": 12, "t": 8, "b": 28},
        height=190,
        hovermode="x unified",
        uirevision="keep",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "inherit", "size": 11.5, "color": _NEUTRAL},
        xaxis={
            "range": [plot_time(window.start, tz), plot_time(window.end, tz)],
            "type": "date",
            "showgrid": False,
            "zeroline": False,
            "nticks": 6,
            "tickformat": _tick_format(window.span),
            "ticks": "outside",
            "ticklen": 4,
            "tickcolor": _NEUTRAL,
        },
        yaxis={
            "title": {"text": unit, "standoff": 6},
            "gridcolor": "rgba(107,114,128,0.22)",
            "zeroline": False,
            "nticks": 5,
            "fixedrange": True,
        },
    )
    return figure
