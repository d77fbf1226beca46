"""Charts: pure functions from data to plotly figures. Colours live in the style sheet (see ``TRACE_UIDS``)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from statistics import median
from typing import Any, Final

import plotly.graph_objects as go

from forewarn.contracts.frames import expected_column
from forewarn_dashboard.client import History, Snapshot
from forewarn_dashboard.formatting import plot_time
from forewarn_dashboard.timerange import TimeRange

#: Traces carry these as ``uid``; plotly makes a CSS class ``trace<uid>`` of it, so one style sheet themes them all.
TRACE_UIDS: Final = ("low", "high", "expected", "value", "score", "deviation", "flag")

BAND_SIGMAS: Final = 3.0
TREND_POINTS: Final = 600  #: most points of a line; more than a screen has columns shows nothing more
HISTORY_POINTS: Final = 4000  #: most rows asked of the API for a chart: half an hour of readings a second, unrolled
_MIN_SIGMA_SAMPLES: Final = 10
_MIN_RESIDUAL: Final = 0.05  # below it the quotient that yields sigma is mostly rounding
_GAP_STEPS: Final = 4  # a hole of more usual steps than this is shown as one
_NEUTRAL: Final = "#6b7280"
_ABNORMAL: Final = "#c2410c"

Values = Sequence[float | None]


def sigma(values: Values, expected: Values, residual: Values) -> float | None:
    """Healthy standard deviation behind residuals: residual = (value − expected) / sigma; None if too few tell."""
    quotients = [
        (v - e) / r
        for v, e, r in zip(values, expected, residual, strict=True)
        if v is not None and e is not None and r is not None and abs(r) >= _MIN_RESIDUAL and v != e
    ]
    if len(quotients) < _MIN_SIGMA_SAMPLES:
        return None
    found = median(quotients)
    return found if found > 0 else None


def band(expected: Values, sigma_: float | None) -> tuple[list[float | None], list[float | None]]:
    """Lower and upper edge of the range that a healthy machine stays in; unknown without sigma."""
    if sigma_ is None:
        return [None] * len(expected), [None] * len(expected)
    reach = BAND_SIGMAS * sigma_
    low = [None if e is None else e - reach for e in expected]
    high = [None if e is None else e + reach for e in expected]
    return low, high


def sigmas(readings: Iterable[Snapshot], tags: Iterable[str]) -> dict[str, float | None]:
    """``sigma`` of each tag from judged readings."""
    rows = list(readings)
    return {
        tag: sigma(
            [row.values.get(tag) for row in rows],
            [row.expected.get(tag) for row in rows],
            [row.residual.get(tag) for row in rows],
        )
        for tag in tags
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """What a trend chart shows; ``predicted`` when the twin expects something of the tag, perhaps only later."""

    tag: str
    title: str
    unit: str
    predicted: bool
    sigma: float | None


def trend(history: History, spec: Trend, window: TimeRange, tz: tzinfo) -> go.Figure:
    """Measured against expected with the healthy band."""
    thin = thinned(history.times, history.column(spec.tag))
    times, gaps = _with_gaps([history.times[i] for i in thin], tz)
    figure = _base(window, tz, spec.unit)
    if spec.predicted:
        expected = _picked(history.column(expected_column(spec.tag)), thin)
        low, high = band(expected, spec.sigma)
        figure.add_scatter(**_line(times, gaps(low), "low", _NEUTRAL, 0), hoverinfo="skip")
        figure.add_scatter(
            **_line(times, gaps(high), "high", _NEUTRAL, 0),
            fill="tonexty",
            fillcolor="rgba(107,114,128,0.16)",
            hoverinfo="skip",
        )
        figure.add_scatter(**_line(times, gaps(expected), "expected", _NEUTRAL, 1.4, dash="4px,3px"), name="expected")
    measured = gaps(_picked(history.column(spec.tag), thin))
    figure.add_scatter(**_line(times, measured, "value", "#1f2937", 1.6), name="measured")
    return figure


def thinned(times: Sequence[datetime], values: Values) -> list[int]:
    """Rows to draw: all, or the lowest and highest of each of 300 stretches, so that no spike is lost."""
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
        chosen.append(rows - 1)  # the live lines go on from the newest row
    return chosen


def anomaly(history: History, window: TimeRange, tz: tzinfo) -> go.Figure:
    """Anomaly score and deviation from 0 to 100, times of a persistent anomaly shaded."""
    thin = thinned(history.times, history.column("score"))
    times, gaps = _with_gaps([history.times[i] for i in thin], tz)
    flagged = [100.0 if flag else None for flag in _picked(history.column("flag"), thin)]
    figure = _base(window, tz, "0–100")
    figure.add_scatter(
        **_line(times, gaps(flagged), "flag", _ABNORMAL, 0),
        fill="tozeroy",
        fillcolor="rgba(194,65,12,0.18)",
        hoverinfo="skip",
    )
    deviation = gaps(_picked(history.column("deviation"), thin))
    figure.add_scatter(**_line(times, deviation, "deviation", _NEUTRAL, 1.4, dash="4px,3px"), name="deviation")
    figure.add_scatter(
        **_line(times, gaps(_picked(history.column("score"), thin)), "score", "#1f2937", 1.6), name="score"
    )
    figure.update_yaxes(range=[0, 102], tickvals=[0, 25, 50, 75, 100])
    return figure


def live_columns(
    readings: Iterable[Snapshot], tags: Iterable[str], sigmas: dict[str, float | None]
) -> dict[str, list[float | None]]:
    """Columns that continue the charts: ``tag:uid`` for trends, ``:uid`` for the anomaly chart."""
    rows = list(readings)
    columns: dict[str, list[float | None]] = {
        ":score": [row.score for row in rows],
        ":deviation": [row.deviation for row in rows],
        ":flag": [100.0 if row.flag else None for row in rows],
    }
    for tag in tags:
        expected = [row.expected.get(tag) for row in rows]
        low, high = band(expected, sigmas.get(tag))
        columns[f"{tag}:value"] = [row.values.get(tag) for row in rows]
        columns |= {f"{tag}:expected": expected, f"{tag}:low": low, f"{tag}:high": high}
    return columns


def bucket(window: TimeRange) -> timedelta:
    """Time one chart point stands for."""
    return window.span / TREND_POINTS


def _line(
    times: Sequence[str], values: Sequence[float | None], uid: str, colour: str, width: float, dash: str = "solid"
) -> dict[str, Any]:
    line = {"color": colour, "width": width, "dash": dash}
    return {"x": times, "y": values, "mode": "lines", "uid": uid, "line": line, "connectgaps": False}


def _picked(values: Values, rows: Iterable[int]) -> list[float | None]:
    return [values[i] for i in rows]


def _with_gaps(times: Sequence[datetime], tz: tzinfo) -> tuple[list[str], Any]:
    """Times as text with a blank point in every hole, and a function that blanks a column there.

    A line drawn across an hour without data would claim knowledge that nobody has.
    """
    steps_s = [(b - a).total_seconds() for a, b in pairwise(times)]
    usual_s = median(steps_s) if steps_s else 0.0
    holes = [i for i, step_s in enumerate(steps_s, start=1) if step_s > _GAP_STEPS * usual_s > 0]
    texts = [plot_time(at, tz) for at in times]
    for position in reversed(holes):
        texts.insert(position, plot_time(times[position - 1] + timedelta(seconds=usual_s), tz))

    def blank(values: Sequence[float | None]) -> list[float | None]:
        column = list(values)
        for position in reversed(holes):
            column.insert(position, None)
        return column

    return texts, blank


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
