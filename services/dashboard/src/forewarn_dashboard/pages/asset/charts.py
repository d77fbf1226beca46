"""Charts of the asset page, with newest values and tables."""

from collections.abc import Mapping
from typing import Final

import plotly.graph_objects as go
from dash import dcc, html

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import expected_column
from forewarn.domain.anomaly.scale import band_of as anomaly_band_of
from forewarn.domain.physics.unit_symbols import unit_symbol
from forewarn.domain.twin.deviation import band_of
from forewarn_dashboard.client import interval_columns
from forewarn_dashboard.components import aria
from forewarn_dashboard.formatting import number
from forewarn_dashboard.pages.asset import figures
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.asset.scene import AssetScene
from forewarn_dashboard.pages.asset.values_table import Column, values_table
from forewarn_dashboard.scene import Node, region_name

TREND: Final = "trend"
READOUT: Final = "readout"
ANOMALY_KEY: Final = ""  #: key of the anomaly chart among the trends, which belongs to no tag
_LEAST_P: Final = 0.001


def shown_tags(view: AssetView, asset_class: AssetClass) -> tuple[str, ...]:
    """Return the tags in the address that the class has; if none, those that the twin predicts."""
    asked = tuple(tag for tag in view.tags if tag in asset_class.column_names)
    return asked or asset_class.twin.responses


def trend_id(key: str) -> dict[str, str]:
    """Return the component id of a tag's chart or of the anomaly chart."""
    return {"type": TREND, "key": key or "anomaly"}


def trend_cards(scene: AssetScene, asset_class: AssetClass, drawn: Mapping[str, Node]) -> html.Div:
    """Draw a chart for each signal."""
    tags = shown_tags(scene.view, asset_class)
    return html.Div([_card(scene, _trend(asset_class, tag), drawn) for tag in tags], className="charts")


def readout_words(measured: str, expected: str, distance: str) -> Node:
    """Draw the newest value of a signal beside its title."""
    parts = [html.Span(measured, className="readout-value")]
    if expected:
        parts.append(html.Span(expected, className="note"))
    if distance:
        parts.append(html.Span(distance, className="note"))
    return parts


def score_words(score: float | None, deviation: float | None, p_value: float | None) -> Node:
    """Draw the newest score beside its title."""
    parts = [
        html.Span(number(score, 3), className="readout-value"),
        html.Span(anomaly_band_of(score), className="note") if score is not None else None,
        html.Span(f"deviation {number(deviation, 3)}{_band(deviation)}", className="note"),
    ]
    if p_value is not None:
        text = f"p {number(p_value, 2)}" if p_value >= _LEAST_P else f"p < {_LEAST_P}"
        parts.append(html.Span(text, className="note"))
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


def _card(scene: AssetScene, trend: figures.Trend, drawn: Mapping[str, Node]) -> html.Section:
    history = scene.history
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
            _graph(trend.tag, figures.trend(history, trend, scene.window, scene.tz), label),
            values_table(scene, history, trend.title, columns),
        ],
        className="panel chart",
    )


def _difference(values: figures.Values, expected: figures.Values) -> list[float | None]:
    return [None if v is None or e is None else v - e for v, e in zip(values, expected, strict=True)]


def anomaly_card(scene: AssetScene, drawn: Mapping[str, Node]) -> html.Section:
    """Draw the chart of the anomaly score."""
    history = scene.history
    figure = figures.anomaly(history, scene.window, scene.tz)
    readout_id = {"type": READOUT, "key": "anomaly"}
    columns: list[Column] = [(name.capitalize(), history.column(name)) for name in ("score", "deviation", "flag")]
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Anomaly score"),
                    html.Div(drawn[region_name(readout_id)], id=readout_id, className="readout"),
                    legends(("value", "score"), ("expected", "deviation"), ("flag", "persistent anomaly")),
                ],
                className="chart-head",
            ),
            _graph(ANOMALY_KEY, figure, "Anomaly score and deviation over time, from 0 to 100"),
            values_table(scene, history, "Anomaly score", columns),
        ],
        className="panel chart",
    )


def legends(*items: tuple[str, str]) -> html.Ul:
    """Draw the legend: samples of lines with their meaning."""
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
