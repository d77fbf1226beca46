"""Side panel of the asset page: signals on their way to an alarm limit."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from dash import html

from forewarn.contracts.forecasts import LimitForecast
from forewarn_dashboard.formatting import date_time, life_days, quantity
from forewarn_dashboard.scene import Node
from forewarn_dashboard.viewmodels import class_title

_HOURS_COUNT_FOR: Final = 3.0  # days ahead; later, a time of day would claim too much


def forecast_panel(
    forecasts: Sequence[LimitForecast] | None, titles: Mapping[str, str], now: datetime, tz: tzinfo
) -> Node:
    """Draw when each signal is expected to reach its limit, with probability and method; None: unknown."""
    if forecasts is None:
        return html.P("Not known yet: forecasts need hours of readings.", className="note")
    if not forecasts:
        return html.P("No signal is expected to reach an alarm limit.", className="note")
    return [_forecast(item, titles, now, tz) for item in sorted(forecasts, key=_urgency)]


def is_due(item: LimitForecast, now: datetime) -> bool:
    """Return whether the likely moment has passed."""
    return item.likely_days is not None and item.made_at + timedelta(days=item.likely_days) <= now


def _urgency(item: LimitForecast) -> tuple[bool, float, float]:
    """Return the sort key: known crossings, nearest first, then by probability."""
    likely = item.likely_days
    return likely is None, 0.0 if likely is None else likely, -item.probability


def _forecast(item: LimitForecast, titles: Mapping[str, str], now: datetime, tz: tzinfo) -> html.Div:
    title = titles.get(item.column, class_title(item.column))
    chance = f"{100 * item.probability:.0f}\u00a0% within {life_days(item.horizon_days)}"
    return html.Div(
        [
            html.H3(f"{title} to {quantity(item.limit, item.unit)}"),
            html.P(
                [
                    html.Span(_headline(item, now, tz), className="readout-value"),
                    html.Span(_interval(item, tz), className="note"),
                ],
                className="readout",
            ),
            html.P(f"Probability {chance}", className="cell-sub"),
            html.P(
                f"Method: {item.method.replace('_', ' ')}, on readings up to {date_time(item.made_at, tz)}",
                className="cell-sub",
            ),
        ],
        className="life",
    )


def _headline(item: LimitForecast, now: datetime, tz: tzinfo) -> str:
    """Say when the crossing is likely, or that it is beyond the horizon."""
    if item.likely_days is None:
        return f"probably not within {life_days(item.horizon_days)}"
    word = "was due" if is_due(item, now) else "about"
    return f"{word} {_moment(item, item.likely_days, tz)}"


def _interval(item: LimitForecast, tz: tzinfo) -> str:
    if item.earliest_days is None:
        return f"unlikely before {_moment(item, item.horizon_days, tz)}"
    begin = _moment(item, item.earliest_days, tz)
    if item.latest_days is None:
        return f"80 % interval from {begin} on"
    return f"80 % interval {begin} – {_moment(item, item.latest_days, tz)}"


def _moment(item: LimitForecast, days: float, tz: tzinfo) -> str:
    at: datetime = (item.made_at + timedelta(days=days)).astimezone(tz)
    return at.strftime("%Y-%m-%d %H:%M" if days < _HOURS_COUNT_FOR else "%Y-%m-%d")
