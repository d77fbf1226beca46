"""Controls of the asset page: range, clock, pause, signals, download. Each is a link."""

from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import dcc, html

from forewarn.contracts.asset_class import AssetClass
from forewarn_dashboard.components import aria, choice_links
from forewarn_dashboard.formatting import zone_label
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.asset.timerange import DEFAULT_TO, PRESETS, TimeRange
from forewarn_dashboard.scene import Scene

FROM_ID: Final = "range-from"
TO_ID: Final = "range-to"
APPLY_ID: Final = "range-apply"


def controls(scene: Scene[AssetView], asset_class: AssetClass, window: TimeRange) -> html.Div:
    """Draw the bar above the charts."""
    view = scene.view
    presets = [
        (label, view.href(start=start, end=DEFAULT_TO), view.end == DEFAULT_TO and view.start == start)
        for start, label in PRESETS.items()
    ]
    modes = [
        ("Live", view.href(updating=True, end=DEFAULT_TO), view.updating and window.follows_now),
        ("Paused", view.href(updating=False), not view.updating),
    ]
    query = urlencode({"from": window.start.isoformat(), "to": window.end.isoformat()})
    return html.Div(
        [
            choice_links("Range", presets),
            choice_links("Updates", modes),
            html.Details([html.Summary("From … to"), _picker(scene, window)], id="range-menu", className="popover"),
            html.Details(
                [html.Summary("Signals"), _signals(scene, asset_class)], id="signals-menu", className="popover"
            ),
            html.A(
                "Download CSV",
                href=f"/download/{view.asset_id}.csv?{query}",
                download=f"{view.asset_id}.csv",
                className="button",
            ),
        ],
        className="toolbar",
    )


def _picker(scene: Scene[AssetView], window: TimeRange) -> html.Div:
    def picker(identifier: str, label: str, value: datetime) -> dmc.DateTimePicker:
        return dmc.DateTimePicker(
            id=identifier,
            label=f"{label} ({zone_label(scene.tz, scene.now)})",
            value=value.astimezone(scene.tz).strftime("%Y-%m-%d %H:%M:%S"),
            valueFormat="YYYY-MM-DD HH:mm",
            weekendDays=[],  # no red days: colour is for the abnormal
            w=230,
        )

    return html.Div(
        [
            picker(FROM_ID, "From", window.start),
            picker(TO_ID, "To", window.end),
            html.Button("Show this range", id=APPLY_ID, className="button", n_clicks=0),
        ],
        className="popover-body",
    )


def _signals(scene: Scene[AssetView], asset_class: AssetClass) -> html.Ul:
    responses = asset_class.twin.responses
    shown = scene.view.tags or responses
    titles = asset_class.titles

    def toggled(tag: str) -> tuple[str, ...]:
        chosen = tuple(t for t in shown if t != tag) if tag in shown else (*shown, tag)
        return () if set(chosen) == set(responses) else chosen

    return html.Ul(
        [
            html.Li(
                dcc.Link(
                    [
                        html.Span("✓ " if tag in shown else "", **aria(hidden="true")),
                        titles[tag],
                        html.Span(" (shown)" if tag in shown else "", className="visually-hidden"),
                    ],
                    href=scene.view.href(tags=toggled(tag)),
                    className="chip chip-on" if tag in shown else "chip",
                )
            )
            for tag in asset_class.column_names
        ],
        className="popover-body signals",
    )
