"""The shell around every page: landmarks, menu, banners, dialogs and stores."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from forewarn_dashboard.components import SEARCH_ID, aria, choice_links
from forewarn_dashboard.formatting import zone_label
from forewarn_dashboard.page import AnyPage, Pages
from forewarn_dashboard.plant import LivePlant
from forewarn_dashboard.scene import Node, Region, Scene, Single

APP_TITLE: Final = "Forewarn"

STORES: Final = ("browser", "view", "tick", "refresh", "title")

#: Dash fills the placeholders in braces; its own template lacks ``lang``.
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


def shell(pages: Pages) -> Component:
    """Return the layout that stays while pages change."""
    stores = (*STORES, *(name for page in pages for name in page.stores))
    provider: Component = dmc.MantineProvider(
        html.Div(
            [
                dcc.Location(id="url", refresh="callback-nav"),
                *(dcc.Store(id=name) for name in stores),
                html.A("Skip to content", href="#content", className="skip"),
                html.Div(
                    [
                        html.Header(
                            [
                                html.Span(
                                    [html.Span(className="logo", **aria(hidden="true")), APP_TITLE], className="brand"
                                ),
                                html.Div(id="nav", className="nav"),
                                html.Div(id="clock", className="clock"),
                            ],
                            className="topbar",
                        ),
                        html.Div(id="notice", role="status"),
                    ],
                    className="top",
                ),
                html.Div(
                    "Connection to the dashboard lost. Values on this page are old; it reconnects by itself.",
                    id="offline",
                    className="banner banner-offline",
                    role="alert",
                ),
                html.Div(id="connection", role="status"),
                html.Main(html.P("Loading the plant …", className="loading"), id="content", tabIndex="-1"),
                *(dialog for page in pages for dialog in page.dialogs()),
            ],
            id="shell",
        ),
        defaultColorScheme="auto",
        theme={"fontFamily": "inherit", "primaryColor": "gray", "cursorType": "pointer"},
    )
    return provider


def validation_layout(pages: Pages) -> Component:
    """Return components with all ids in callbacks: Dash checks them at start, before pages are drawn."""
    controls = [control for page in pages for control in page.controls()]
    return html.Div([shell(pages), dcc.Input(id=SEARCH_ID), *controls])


def menu(pages: Pages, shown: AnyPage, scene: Scene[Any]) -> Node:
    """Draw links to the pages; the current one is marked."""
    items: list[html.Li] = []
    for page in pages:
        if page.parent:
            continue
        here = page.title in {shown.title, shown.parent}
        text: list[Single] = [page.title]
        if page.badge is not None:
            identifier, count = page.badge
            text.append(html.Span(badge(count(scene.plant)), id=identifier))
        if here:
            text.append(html.Span(" (this page)", className="visually-hidden"))
        look = "nav-link nav-here" if here else "nav-link"
        items.append(html.Li(dcc.Link(text, href=scene.view.to(page.view), className=look)))
    return html.Nav(html.Ul(items), **aria(label="Pages"))


def badges(pages: Pages, plant: LivePlant) -> Iterator[Region]:
    """Yield the counts beside the links of the menu."""
    for page in pages:
        if page.badge is not None:
            identifier, count = page.badge
            number = count(plant)
            yield Region(id=identifier, key=number, build=partial(badge, number))


def badge(count: int) -> Node:
    """Draw the number of open items beside a link; nothing if it is 0."""
    if not count:
        return None
    return [html.Span(f"{count:,}", className="count-badge"), html.Span(" open", className="visually-hidden")]


def clock_switch(scene: Scene[Any]) -> Node:
    """Draw links to local time and UTC."""
    view = scene.view
    local = "Local time" if view.utc else zone_label(scene.tz, scene.now)
    if local == "UTC":
        return html.Span("Clock: UTC", className="chips-label")
    addresses = [replace(view, utc=utc).address for utc in (False, True)]
    return choice_links("Clock", [(local, addresses[0], not view.utc), ("UTC", addresses[1], view.utc)])


def connection_banner(problem: str, since: str) -> Node:
    """Say that the API does not answer."""
    return html.Div(
        [
            html.Strong("No connection to the API"),
            f" since {since}: values are old. Reconnecting … ",
            html.Span(problem),
        ],
        className="banner banner-warning",
    )
