"""All assets at a glance: grey tiles by area, colour only for the abnormal."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from dash import dcc, html

from forewarn.contracts.answers.overview import Overview
from forewarn_dashboard.components import (
    aria,
    choice_links,
    condition_badge,
    empty_state,
    health_bar,
    health_words,
    priority_badge,
    toolbar,
)
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.formatting import plural
from forewarn_dashboard.page import PageSpec
from forewarn_dashboard.pages.alarms.address import AlarmsView
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.overview import table
from forewarn_dashboard.pages.overview.address import SHOWS, SORTS, OverviewView
from forewarn_dashboard.pages.overview.sparkline import score_sparkline
from forewarn_dashboard.pages.overview.viewmodel import Summary, Tile, summary, tile, tile_text
from forewarn_dashboard.scene import Node, Region, Scene, Single, draw
from forewarn_dashboard.viewmodels import CONDITION_TEXT, NO_AREA, PRIORITY_NUMBER, TREND_ARROW, area

BODY_ID: Final = "overview-body"
SUMMARY_ID: Final = "overview-summary"
LINKS_ID: Final = "overview-links"

_ATTENTION_ORDER: Final = {
    name: i for i, name in enumerate(("attention", "stale", "silent", "unjudged", "learning", "normal"))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewScene(Scene[OverviewView]):
    """``fleet``: the page of the list of a large plant."""

    fleet: Overview | None = None


async def load(scene: Scene[OverviewView], dependencies: Dependencies) -> OverviewScene:
    """Load a page of a large plant."""
    hub = dependencies.hub
    return OverviewScene(
        **scene.shared(), fleet=await hub.fleet.page(table.query_of(scene.view)) if hub.large else None
    )


def regions(scene: OverviewScene) -> Iterator[Region]:
    """Yield summary, arrangement of tiles, and every tile; rows instead of tiles in a large plant."""
    counts = summary(scene.plant, scene.now) if scene.fleet is None else table.summary_of(scene.fleet)
    yield Region(id=SUMMARY_ID, key=counts, build=lambda: _summary(counts, scene.view))
    if scene.fleet is not None:
        yield from table.regions(scene.fleet, scene, BODY_ID)
        return
    tiles = chosen_tiles(scene)
    groups = grouped(tiles, scene)
    arrangement = tuple((name, tuple(t.asset_id for t in group)) for name, group in groups)
    yield Region(id=BODY_ID, key=(arrangement, scene.plant.loaded), build=lambda: _body(groups, scene))
    for one in tiles:
        yield Region(id=tile_id(one.asset_id), key=one, build=partial(_tile, one), inside=BODY_ID)


def render(scene: OverviewScene) -> Node:
    """Draw the whole page."""
    parts = redraw(scene)
    return [
        html.H1("Plant overview", className="visually-hidden"),
        html.Div(parts[SUMMARY_ID], id=SUMMARY_ID),
        toolbar(scene.view, "Name, class, area …", LINKS_ID, parts[LINKS_ID]),
        html.Div(parts[BODY_ID], id=BODY_ID),
    ]


def redraw(scene: OverviewScene) -> dict[str, Node]:
    """Draw all but the search field, which must not change while somebody types; return children by component id."""
    return draw(regions(scene)) | {LINKS_ID: _links(scene.view)}


def chosen_tiles(scene: OverviewScene) -> list[Tile]:
    """Return the filtered tiles in the chosen order."""
    view, needle = scene.view, scene.view.search.casefold()
    found = []
    for asset in scene.plant.assets.values():
        text = " ".join((asset.asset_id, asset.name, asset.asset_class, *asset.path)).casefold()
        if needle and needle not in text:
            continue
        one = tile(scene.plant, asset, scene.now)
        if view.show == "attention" and one.condition not in {"attention", "stale"}:
            continue
        if view.show == "stale" and one.condition not in {"stale", "silent"}:
            continue
        found.append(one)
    return sorted(found, key=lambda one: _order(view.sort, one))


def grouped(tiles: list[Tile], scene: OverviewScene) -> list[tuple[str, list[Tile]]]:
    """Return the tiles grouped by area if sorted by area, else in one group."""
    if scene.view.sort != "area":
        return [("", tiles)] if tiles else []
    groups: dict[str, list[Tile]] = {}
    for one in tiles:
        groups.setdefault(area(scene.plant.assets[one.asset_id]), []).append(one)
    return sorted(groups.items(), key=lambda group: (group[0] == NO_AREA, group[0]))


def tile_id(asset_id: str) -> dict[str, str]:
    """Return the component id of a tile."""
    return {"type": "tile", "asset": asset_id}


def _order(sort: str, one: Tile) -> tuple[float, float, str]:
    by_name = one.name.casefold()
    if sort == "attention":
        priority = PRIORITY_NUMBER[one.priority] if one.priority is not None else 9
        return _ATTENTION_ORDER[one.condition], priority, by_name
    if sort == "health":
        return (0.0, one.health, by_name) if one.health is not None else (1.0, 0.0, by_name)
    return 0.0, 0.0, by_name


def _links(view: OverviewView) -> Node:
    return [
        choice_links("Show", [(text, view.href(show=key), key == view.show) for key, text in SHOWS.items()]),
        choice_links("Sort", [(text, view.href(sort=key), key == view.sort) for key, text in SORTS.items()]),
    ]


def _summary(counts: Summary, view: OverviewView) -> html.Div:
    states = [
        html.Li(
            [html.Span(f"{count:,}", className="count"), condition_badge(name)],
            className="stat" if count else "stat stat-zero",
        )
        for name, count in counts.conditions
        if count or name in {"normal", "attention"}
    ]
    alarms = [
        html.Li(
            dcc.Link(
                [html.Span(f"{count:,}", className="count"), priority_badge(priority)],
                href=view.to(AlarmsView, priority=priority.value),
            ),
            className="stat" if count else "stat stat-none",
        )
        for priority, count in counts.priorities
    ]
    note = f"{counts.unacknowledged:,} not acknowledged" if counts.unacknowledged else "all acknowledged"
    return html.Div(
        [
            html.Section([html.H2(plural(counts.total, "asset")), html.Ul(states)], className="strip"),
            html.Section(
                [html.H2(["Open alarms", html.Span(note, className="strip-note")]), html.Ul(alarms)], className="strip"
            ),
        ],
        className="summary",
    )


def _body(groups: list[tuple[str, list[Tile]]], scene: OverviewScene) -> Node:
    if not scene.plant.assets:
        return _no_assets(scene)
    if not groups:
        return empty_state("No asset matches", "Clear the search or choose “All”.")
    return [
        html.Section(
            [
                html.H2(name or SORTS[scene.view.sort], className="area-title" if name else "visually-hidden"),
                html.Ul(
                    [
                        html.Li(
                            dcc.Link(
                                html.Div(_tile(one), id=tile_id(one.asset_id)),
                                href=scene.view.to(AssetView, asset_id=one.asset_id),
                                className="tile-link",
                            )
                        )
                        for one in group
                    ],
                    className="tiles",
                ),
            ],
            className="area",
        )
        for name, group in groups
    ]


def _no_assets(scene: OverviewScene) -> html.Div:
    if not scene.plant.loaded:
        return empty_state("Waiting for the API", "The plant appears here as soon as the API answers.")
    return empty_state(
        "No assets yet",
        "Register a machine with POST /api/v1/assets, or start the simulator's plant: SIMULATION_ENABLED=true.",
        "It appears here by itself.",
    )


def _tile(one: Tile) -> html.Div:
    return html.Div(
        [
            html.Div(
                [html.Span(one.name, className="tile-name"), html.Span(one.age, className="age")], className="tile-head"
            ),
            html.Div(
                [html.Span(one.class_title), html.Span(one.asset_id, className="tile-id")], className="tile-class"
            ),
            _tile_health(one),
            health_bar(one.health, one.category),
            _tile_spark(one),
            _tile_alarm(one),
        ],
        className=f"tile tile-{one.condition}",
    )


def _tile_health(one: Tile) -> html.Div:
    trend = [
        html.Span(TREND_ARROW[one.trend], **aria(hidden="true")),
        html.Span(f", trend {one.trend}", className="visually-hidden"),
    ]
    return html.Div(
        [
            html.Span("Health ", className="visually-hidden"),
            health_words(one.health, one.category),
            html.Span(trend, className=f"trend trend-{one.trend}", title=f"Trend: {one.trend}"),
        ],
        className="tile-health",
    )


def _tile_spark(one: Tile) -> Single:
    spark = score_sparkline(one.spark, abnormal=one.flagged)
    if not spark:
        return html.Div("no anomaly score yet", className="spark spark-none")
    known = [score for score in one.spark if score is not None]
    return html.Img(src=spark, alt=f"Anomaly score, newest {known[-1]:.0f} of 100", className="spark")


def _tile_alarm(one: Tile) -> html.Div:
    shown: list[Single] = [condition_badge(one.condition)]
    if one.priority is not None:
        more = f" and {one.alarm_count - 1} more" if one.alarm_count > 1 else ""
        shown = [
            priority_badge(one.priority, with_text=False),
            html.Span(tile_text(one.alarm_text) + more, className="tile-alarm-text"),
        ]
    return html.Div(shown, className="tile-alarm", title=one.alarm_text or CONDITION_TEXT[one.condition])


OVERVIEW: Final = PageSpec(
    title="Overview", view=OverviewView, load=load, regions=regions, render=render, redraw=redraw
)
