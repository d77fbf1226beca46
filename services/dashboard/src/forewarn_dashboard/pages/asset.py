"""One asset: measured against expected, anomaly, health, remaining life, alarms."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final

import plotly.graph_objects as go
from dash import dcc, html

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import Phase, expected_column
from forewarn.domain.anomaly.scale import band_of as anomaly_band_of
from forewarn.domain.health.condition import Condition
from forewarn.domain.physics.unit_symbols import unit_symbol
from forewarn.domain.twin.deviation import band_of
from forewarn_dashboard import figures
from forewarn_dashboard.client import AssetDetail, History, interval_columns
from forewarn_dashboard.components import aria, condition_badge, definition_list, panel
from forewarn_dashboard.formatting import date_time, duration, number
from forewarn_dashboard.pages.alarms import alarm_table
from forewarn_dashboard.pages.asset_controls import REMOVE_ID, controls
from forewarn_dashboard.pages.asset_panels import contributions_panel, health_panel, life_panel, quality_panel
from forewarn_dashboard.pages.asset_tables import Column, values_table
from forewarn_dashboard.pages.economics_panel import economics_panel
from forewarn_dashboard.pages.forecast_panel import forecast_panel, is_due
from forewarn_dashboard.pages.twin_panel import fleet_note, twin_panel
from forewarn_dashboard.scene import Node, Region, Scene, draw, region_name
from forewarn_dashboard.timerange import TimeRange
from forewarn_dashboard.viewmodels import (
    AlarmRow,
    alarm_row,
    area,
    class_title,
    condition,
    contributions,
    judged,
    rank,
    readout,
    verdict,
)

TREND: Final = "trend"
READOUT: Final = "readout"
FLEET_ID: Final = "asset-fleet"
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")
_LEAST_P: Final = 0.001  # a smaller one is told as that
ANOMALY_KEY: Final = ""  #: the anomaly chart's place among the trends: it belongs to no tag


def shown_tags(scene: Scene, asset_class: AssetClass) -> tuple[str, ...]:
    """Tags the address asks for, as far as the class has them; else what the twin predicts."""
    asked = tuple(tag for tag in scene.view.tags if tag in asset_class.column_names)
    return asked or asset_class.twin.responses


def trend_id(key: str) -> dict[str, str]:
    """Component id of a chart: a tag's, or the anomaly chart's."""
    return {"type": TREND, "key": key or "anomaly"}


def regions(scene: Scene) -> Iterator[Region]:
    """Everything on the page that changes with new readings, except the lines of the charts."""
    detail = _detail(scene)
    asset_class, names = detail.asset_class, detail.asset_class.titles
    live, alarms = scene.plant.live(detail.asset.asset_id), scene.plant.alarms_of(detail.asset.asset_id)
    latest, health = live.latest, live.health
    state = condition(live, alarms, scene.now)
    age = live.age(scene.now)
    status = (state, date_time(latest.ts if latest else None, scene.tz), _age_text(age), twin_status(detail, scene))
    yield Region(id="asset-status", key=status, build=lambda: _status(*status))
    reason = verdict(latest, names)
    yield Region(id="asset-verdict", key=reason, build=lambda: _verdict(reason))
    for tag in shown_tags(scene, asset_class):
        words = readout(latest, tag, asset_class.units[tag])
        yield Region(id={"type": READOUT, "key": tag}, key=(words, state == "stale"), build=partial(_readout, *words))
    scores = (latest.score, latest.deviation, latest.p_value) if latest else (None, None, None)
    yield Region(id={"type": READOUT, "key": "anomaly"}, key=scores, build=lambda: _scores(*scores))
    yield Region(id="asset-health", key=health, build=lambda: health_panel(health, names))
    life = None if health is None else health.rul
    yield Region(id="asset-life", key=life, build=lambda: life_panel(life, asset_class, names))
    ahead = None if health is None else health.forecasts
    due = tuple(is_due(item, scene.now) for item in ahead or ())
    yield Region(id="asset-forecast", key=(ahead, due), build=lambda: forecast_panel(ahead, names, scene.now, scene.tz))
    shares = contributions(latest, names)
    yield Region(id="asset-contributions", key=shares, build=lambda: contributions_panel(shares))
    fleet = detail.fleet
    yield Region(id=FLEET_ID, key=fleet, build=lambda: fleet_note(fleet, names, scene.tz))
    report = None if health is None else detail.economics
    yield Region(id="asset-economics", key=report, build=lambda: economics_panel(report))
    rows = tuple(alarm_row(alarm, scene.plant, scene.now, scene.tz) for alarm in sorted(alarms, key=rank))
    yield Region(id="asset-alarms", key=rows, build=lambda: _alarms(rows, scene))
    quality = None if latest is None else (tuple(sorted(latest.quality.items())), latest.findings)
    yield Region(id="asset-quality", key=quality, build=lambda: quality_panel(quality, names))


def render(scene: Scene, history: History, window: TimeRange) -> Node:
    """The whole page."""
    detail = _detail(scene)
    drawn = draw(regions(scene))
    return [
        _head(scene, detail, drawn),
        html.Div(drawn["asset-verdict"], id="asset-verdict", role="status"),
        controls(scene, detail.asset_class, window),
        html.Div([_charts(scene, history, window, drawn), _panels(scene, drawn)], className="asset-grid"),
    ]


def _charts(scene: Scene, history: History, window: TimeRange, drawn: dict[str, Node]) -> html.Div:
    """The wide column: what asks for a response, then the course of everything."""
    asset_class = _detail(scene).asset_class
    charts = [_chart(scene, history, window, _trend(asset_class, tag), drawn) for tag in shown_tags(scene, asset_class)]
    legends = _legends(("value", "measured"), ("expected", "expected"), ("band", "90 % of healthy readings"))
    return html.Div(
        [
            panel("Open alarms", drawn["asset-alarms"], "asset-alarms"),
            _anomaly_card(scene, history, window, drawn),
            html.Div([html.H2("Measured and expected"), legends], className="section-title"),
            html.Div(charts, className="charts"),
        ],
        className="asset-main",
    )


def _panels(scene: Scene, drawn: dict[str, Node]) -> html.Div:
    """The narrow column: how the machine is and what is known about it."""
    detail = _detail(scene)
    return html.Div(
        [
            panel("Health", drawn["asset-health"], "asset-health"),
            panel("Remaining useful life", drawn["asset-life"], "asset-life"),
            panel("Forecast", drawn["asset-forecast"], "asset-forecast"),
            panel("What contributes", drawn["asset-contributions"], "asset-contributions"),
            panel("Economics", drawn["asset-economics"], "asset-economics"),
            panel("Digital twin", _twin(detail, scene, drawn)),
            panel("Data quality", drawn["asset-quality"], "asset-quality"),
            panel("Nameplate", [html.Div(_nameplate(detail)), _removing()]),
        ],
        className="asset-side",
    )


def _removing() -> html.Div:
    return html.Div(
        html.Button("Remove asset …", id=REMOVE_ID, className="button", n_clicks=0), className="twin-buttons"
    )


def _twin(detail: AssetDetail, scene: Scene, drawn: dict[str, Node]) -> Node:
    """What is judged by others comes and goes with the readings, the buttons stay."""
    fleet = html.Div(drawn[FLEET_ID], id=FLEET_ID)
    return [fleet, *twin_panel(detail, detail.asset_class.titles, scene.tz)]


def twin_status(detail: AssetDetail, scene: Scene) -> str:
    """Whether the twin learns or judges, and how well it reconstructs normal operation."""
    latest = scene.plant.live(detail.asset.asset_id).latest
    needed = detail.asset_class.twin.baseline_readings
    if detail.model is None and (latest is None or not judged(latest)):
        have = "" if detail.learned is None else f" {min(detail.learned, needed)} of"
        return f"Twin learns normal behaviour:{have} {needed} readings"
    if detail.model is None:
        version = latest.model_version if latest is not None else None
        return "Twin judges live readings" + ("" if version is None else f", model version {version}")
    scores = sorted(detail.model.r2.values())
    fit = f", median R² {scores[len(scores) // 2]:.2f}" if scores else ""
    silent = latest is not None and latest.phase == Phase.LIVE and latest.score is None
    why = "; it judges only while the machine runs and enough is known" if silent else ""
    return f"Twin model version {detail.model.version}, {detail.model.rows} readings{fit}{why}"


def _detail(scene: Scene) -> AssetDetail:
    if scene.detail is None:
        raise ValueError("the asset page needs the asset's detail")
    return scene.detail


def _age_text(age: timedelta | None) -> str:
    return "" if age is None else f"{duration(age.total_seconds())} ago"


def _head(scene: Scene, detail: AssetDetail, drawn: dict[str, Node]) -> html.Header:
    asset = detail.asset
    return html.Header(
        [
            html.P(
                [dcc.Link("Overview", href=scene.view.to("overview")), f" / {area(asset)}"],
                className="breadcrumb",
            ),
            html.Div(
                [
                    html.H1(asset.name),
                    html.Span(asset.asset_id, className="tile-id"),
                    html.Span(detail.asset_class.title, className="note"),
                ],
                className="asset-title",
            ),
            html.Div(drawn["asset-status"], id="asset-status", className="asset-status"),
        ]
    )


def _status(state: Condition, at: str, age: str, twin: str) -> Node:
    return [
        condition_badge(state),
        html.Span([html.Span("Last reading ", className="note"), at, html.Span(f" {age}", className="note")]),
        html.Span(twin, className="note"),
    ]


def _verdict(reason: str) -> Node:
    return html.P([html.Span(className="mark mark-attention", **aria(hidden="true")), reason]) if reason else None


def _readout(measured: str, expected: str, distance: str) -> Node:
    parts = [html.Span(measured, className="readout-value")]
    if expected:
        parts.append(html.Span(expected, className="note"))
    if distance:
        parts.append(html.Span(distance, className="note"))
    return parts


def _scores(score: float | None, deviation: float | None, p_value: float | None) -> Node:
    parts = [
        html.Span(number(score, 3), className="readout-value"),
        html.Span(anomaly_band_of(score), className="note") if score is not None else None,
        html.Span(f"deviation {number(deviation, 3)}{_band(deviation)}", className="note"),
    ]
    if p_value is not None:
        told = f"p {number(p_value, 2)}" if p_value >= _LEAST_P else f"p < {_LEAST_P}"
        parts.append(html.Span(told, className="note"))
    return parts


def _band(deviation: float | None) -> str:
    return "" if deviation is None else f" ({band_of(deviation)})"


def _trend(asset_class: AssetClass, tag: str) -> figures.Trend:
    return figures.Trend(
        tag=tag,
        title=asset_class.titles[tag],
        unit=unit_symbol(asset_class.units[tag]),
        predicted=tag in asset_class.twin.responses,
    )


def _chart(
    scene: Scene, history: History, window: TimeRange, trend: figures.Trend, drawn: dict[str, Node]
) -> html.Section:
    readout_id = {"type": READOUT, "key": trend.tag}
    heading = html.H3([trend.title, html.Span(f" {trend.unit}", className="unit")])
    label = f"{trend.title} over time, measured" + (" and expected" if trend.predicted else "")
    columns: list[Column] = [("Measured", history.column(trend.tag))]
    if trend.predicted:
        expected = history.column(expected_column(trend.tag))
        low, high = (history.column(name) for name in interval_columns(trend.tag))
        columns += [("Expected", expected), ("from", low), ("to", high)]
        columns.append(("Difference", _difference(history.column(trend.tag), expected)))
    return html.Section(
        [
            html.Div(
                [heading, html.Div(drawn[region_name(readout_id)], id=readout_id, className="readout")],
                className="chart-head",
            ),
            _graph(trend.tag, figures.trend(history, trend, window, scene.tz), label),
            values_table(scene, history, trend.title, columns),
        ],
        className="panel chart",
    )


def _difference(values: figures.Values, expected: figures.Values) -> list[float | None]:
    return [None if v is None or e is None else v - e for v, e in zip(values, expected, strict=True)]


def _anomaly_card(scene: Scene, history: History, window: TimeRange, drawn: dict[str, Node]) -> html.Section:
    figure = figures.anomaly(history, window, scene.tz)
    readout_id = {"type": READOUT, "key": "anomaly"}
    columns: list[Column] = [(name.capitalize(), history.column(name)) for name in ("score", "deviation", "flag")]
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Anomaly score"),
                    html.Div(drawn[region_name(readout_id)], id=readout_id, className="readout"),
                    _legends(("value", "score"), ("expected", "deviation"), ("flag", "persistent anomaly")),
                ],
                className="chart-head",
            ),
            _graph(ANOMALY_KEY, figure, "Anomaly score and deviation over time, from 0 to 100"),
            values_table(scene, history, "Anomaly score", columns),
        ],
        className="panel chart",
    )


def _legends(*items: tuple[str, str]) -> html.Ul:
    return html.Ul(
        [html.Li([html.Span(className=f"legend legend-{kind}"), text]) for kind, text in items], className="legends"
    )


def _graph(key: str, figure: go.Figure, label: str) -> html.Div:
    graph = dcc.Graph(
        id=trend_id(key),
        figure=figure,
        config={"displayModeBar": False, "responsive": True},
        responsive=True,
    )
    return html.Div(graph, className="graph-box", role="img", **aria(label=f"{label}. The values follow as a table."))


def _alarms(rows: tuple[AlarmRow, ...], scene: Scene) -> Node:
    if not rows:
        return html.P("No open alarms.", className="note")
    return alarm_table(rows, scene.view, "Open alarms of this asset", with_asset=False)


def _nameplate(detail: AssetDetail) -> Node:
    stated = detail.asset.nameplate
    facts = [
        ("Class", f"{detail.asset_class.title}, version {detail.asset_class.version}"),
        ("Place", " / ".join(detail.asset.path) or "–"),
        ("Criticality", f"{detail.asset.criticality} of 5"),
    ]
    facts += [
        (field_title(field.name, field.unit), _rated(stated.get(field.name, field.default), field.unit))
        for field in detail.asset_class.nameplate
    ]
    return definition_list(facts)


def _rated(value: float, unit: str) -> str:
    """A rated value; 0 states nothing (ADR 0011)."""
    text = f"{value:.0f}" if value.is_integer() and abs(value) < 10_000 else number(value)
    return f"{text} {unit_symbol(unit)}".strip() if value else "not stated"


def field_title(name: str, unit: str) -> str:
    """Name of a rated value without the unit at its end."""
    suffix = _NOT_IN_NAMES.sub("_", unit.lower().replace("%", "pct")).strip("_")
    title = class_title(name.removesuffix(f"_{suffix}"))
    return title.replace("Iso ", "ISO ")
