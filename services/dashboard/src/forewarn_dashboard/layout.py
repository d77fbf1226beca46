"""The shell around every page: landmarks, navigation, banners, the acknowledge dialog and the stores."""

from typing import Final

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from forewarn_dashboard.components import SEARCH_ID, aria, choice_links
from forewarn_dashboard.formatting import zone_label
from forewarn_dashboard.pages.alarms import page as alarms
from forewarn_dashboard.pages.asset import remove_dialog, twin_dialogs, twin_panel
from forewarn_dashboard.pages.asset.controls import REMOVE_ID
from forewarn_dashboard.pages.overview import page as overview
from forewarn_dashboard.scene import Node, Scene
from forewarn_dashboard.signing import Wording, signed_dialog
from forewarn_dashboard.urls import View

APP_TITLE: Final = "Forewarn"

STORES: Final = ("browser", "view", "tick", "frame", "refresh", "title", "asked", "answer", "whatif-now")

_ACKNOWLEDGING: Final = Wording(
    prefix="ack",
    title="Acknowledge alarm",
    signed="Recorded with the acknowledgement.",
    text="comment",
    hint="What you saw or will do. May stay empty.",
    confirm="Acknowledge",
)

#: Placeholders in braces are filled by Dash; ``lang`` is what its own template lacks.
INDEX: Final = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="color-scheme" content="light dark">
<title>{%title%}</title>
{%favicon%}
{%css%}
</head>
<body>
<noscript>Forewarn's dashboard needs JavaScript.</noscript>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def shell() -> Component:
    """What stays while pages come and go."""
    provider: Component = dmc.MantineProvider(
        html.Div(
            [
                dcc.Location(id="url", refresh="callback-nav"),
                *(dcc.Store(id=name) for name in STORES),
                html.A("Skip to content", href="#content", className="skip"),
                html.Header(
                    [
                        html.Span([html.Span(className="logo", **aria(hidden="true")), APP_TITLE], className="brand"),
                        html.Div(id="nav", className="nav"),
                        html.Div(id="clock", className="clock"),
                    ],
                    className="topbar",
                ),
                html.Div(
                    "Connection to the dashboard is lost. Values on this page are old; it reconnects by itself.",
                    id="offline",
                    className="banner banner-offline",
                    role="alert",
                ),
                html.Div(id="connection", role="status"),
                html.Div(id="notice", role="status"),
                html.Main(html.P("Loading the plant …", className="loading"), id="content", tabIndex="-1"),
                signed_dialog(_ACKNOWLEDGING),
                *twin_dialogs.dialogs(),
                remove_dialog.dialog(),
            ],
            id="shell",
        ),
        defaultColorScheme="auto",
        theme={"fontFamily": "inherit", "primaryColor": "gray", "cursorType": "pointer"},
    )
    return provider


def validation_layout() -> Component:
    """Every component id a callback names, so that Dash checks them at start; pages add theirs at run time."""
    searched = [dcc.Input(id=SEARCH_ID)]
    ranges = [dmc.DateTimePicker(id="range-from"), dmc.DateTimePicker(id="range-to"), html.Button(id="range-apply")]
    twin = [html.Button(id=twin_panel.ASK_ID), html.Button(id=twin_panel.RELEARN_ID)]
    twin += [html.Button(id=REMOVE_ID)]
    return html.Div([shell(), *searched, *ranges, *twin])


def navigation(view: View, open_alarms: int) -> Node:
    """Links to the pages; the present one is marked."""
    items = [
        (overview.TITLE, view.to("overview"), view.page in {"overview", "asset"}, None),
        (alarms.TITLE, view.to("alarms"), view.page == "alarms", open_alarms),
    ]
    return html.Nav(
        html.Ul(
            [
                html.Li(
                    dcc.Link(
                        [
                            text,
                            html.Span(alarm_count(count or 0), id="alarm-count") if count is not None else None,
                            html.Span(" (this page)", className="visually-hidden") if here else None,
                        ],
                        href=href,
                        className="nav-link nav-here" if here else "nav-link",
                    )
                )
                for text, href, here, count in items
            ]
        ),
        **aria(label="Pages"),
    )


def alarm_count(count: int) -> Node:
    """Number of open alarms beside the link; nothing when there are none."""
    if not count:
        return None
    return [html.Span(f"{count:,}", className="count-badge"), html.Span(" open", className="visually-hidden")]


def clock_switch(scene: Scene) -> Node:
    """Which clock the page shows, and the other one."""
    view = scene.view
    local = "Local time" if view.utc else zone_label(scene.tz, scene.now)
    if local == "UTC":
        return html.Span("Clock: UTC", className="chips-label")
    here = view.number
    return choice_links(
        "Clock",
        [(local, view.href(utc=False, number=here), not view.utc), ("UTC", view.href(utc=True, number=here), view.utc)],
    )


def connection_banner(problem: str, since: str) -> Node:
    """Says that the API does not answer; nothing while it does."""
    return html.Div(
        [
            html.Strong("No connection to the API"),
            f" since {since}. Values are old. Trying again … ",
            html.Span(problem),
        ],
        className="banner banner-warning",
    )


def notice(text: str, *, error: bool = False) -> Node:
    """A short message under the header; the next one replaces it."""
    return html.Div(text, className="banner banner-error" if error else "banner banner-info")
