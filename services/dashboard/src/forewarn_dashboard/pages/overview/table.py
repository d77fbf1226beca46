"""The overview of a large plant: a paged table, each row a region."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

from dash import dcc, html

from forewarn.contracts.answers.overview import AssetRow, Overview
from forewarn.contracts.health import Condition
from forewarn_dashboard.client import FleetQuery
from forewarn_dashboard.components import (
    condition_badge,
    empty_state,
    health_bar,
    health_words,
    last_page,
    pager,
    priority_badge,
    table,
)
from forewarn_dashboard.formatting import plural
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.overview.address import OverviewView
from forewarn_dashboard.pages.overview.viewmodel import Summary
from forewarn_dashboard.scene import Node, Region, Scene
from forewarn_dashboard.viewmodels import CONDITION_TEXT, PRIORITY_NUMBER, TREND_ARROW, age_text, class_title

ROWS: Final = 40  #: on one page

_HEAD: Final = ("Asset", "Class and place", "Health", "State", "Data")
_SHOWN: Final[dict[str, tuple[Condition, ...]]] = {
    "all": (),
    "attention": ("attention", "stale"),
    "stale": ("stale", "silent"),
}


def query_of(view: OverviewView) -> FleetQuery:
    """Return the query of a view."""
    return FleetQuery(
        text=view.search,
        conditions=_SHOWN[view.show],
        sort=view.sort,
        offset=(view.number - 1) * ROWS,
        limit=ROWS,
    )


def summary_of(page: Overview) -> Summary:
    """Return counts over the whole plant."""
    return Summary(
        total=page.counts.assets,
        conditions=tuple((name, page.counts.conditions.get(name, 0)) for name in CONDITION_TEXT),
        priorities=tuple((priority, page.counts.priorities.get(priority, 0)) for priority in PRIORITY_NUMBER),
        unacknowledged=page.counts.unacknowledged,
    )


def regions(page: Overview, scene: Scene[OverviewView], body_id: str) -> Iterator[Region]:
    """Yield the list, and every row of it."""
    arrangement = (page.found, tuple(row.asset_id for row in page.items), scene.view.number)
    yield Region(id=body_id, key=arrangement, build=lambda: body(page, scene))
    for row in page.items:
        key = (row, _age(row, scene.now))
        yield Region(id=row_id(row.asset_id), key=key, build=partial(_cells, row, scene), inside=body_id)


def row_id(asset_id: str) -> dict[str, str]:
    """Return the component id of a row."""
    return {"type": "row", "asset": asset_id}


def body(page: Overview, scene: Scene[OverviewView]) -> Node:
    """Draw the list with links to its pages."""
    view = scene.view
    if not page.found:
        return empty_state("No asset matches", "Clear the search or choose “All”.")
    if not page.items:
        last = last_page(page.found, ROWS)
        back = dcc.Link(f"Go to page {last:,}", href=view.href(number=last))
        return empty_state("There are no more assets", back)
    first = (view.number - 1) * ROWS + 1
    of_all = "" if page.found == page.counts.assets else f" of {page.counts.assets:,}"
    text = f"{first:,}–{first + len(page.items) - 1:,} of {plural(page.found, 'asset')}{of_all}"
    rows = [html.Tr(_cells(row, scene), id=row_id(row.asset_id)) for row in page.items]
    return [
        html.P(text, className="note", role="status"),
        html.Div(table("Assets", _HEAD, rows, hide_caption=True, cards=True), className="table-fleet"),
        pager(view, page.found, ROWS, "Pages of assets"),
    ]


def _cells(row: AssetRow, scene: Scene[OverviewView]) -> list[html.Td]:
    link = dcc.Link(row.name, href=scene.view.to(AssetView, asset_id=row.asset_id))
    place = " / ".join(row.path[1:] or row.path)
    trend = html.Span(TREND_ARROW.get(row.trend, ""), className=f"trend trend-{row.trend}", title=f"Trend: {row.trend}")
    return [
        html.Td(
            [html.Div(link, className="cell-main cell-clip"), html.Div(row.asset_id, className="cell-sub cell-clip")],
            className="cell-asset",
            title=row.name,
        ),
        html.Td(
            [html.Div(class_title(row.asset_class)), html.Div(place, className="cell-sub cell-clip")],
            title=place or None,
        ),
        html.Td(
            [
                html.Div([health_words(row.health, row.category), trend], className="cell-health"),
                health_bar(row.health, row.category),
            ],
            className="cell-fleet-health",
        ),
        html.Td(_state(row), className="cell-fleet-state"),
        html.Td(_age(row, scene.now), className="cell-fleet-data"),
    ]


def _state(row: AssetRow) -> Node:
    if row.alarm is None:
        return condition_badge(row.condition)
    more = f" and {row.alarms - 1} more" if row.alarms > 1 else ""
    return [
        priority_badge(row.alarm.priority),
        html.Div(row.alarm.message + more, className="cell-sub cell-clip", title=row.alarm.message),
    ]


def _age(row: AssetRow, now: datetime) -> str:
    return age_text(None if row.ts is None else now - row.ts, stale=row.condition == "stale")
