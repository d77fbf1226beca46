"""Open alarms in the order in which they want a response, and those that are over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dash import dcc, html

from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.answers.alarms import AlarmList
from forewarn_dashboard.components import (
    choice_links,
    data,
    empty_state,
    last_page,
    pager,
    priority_badge,
    search_field,
    table,
)
from forewarn_dashboard.formatting import plural
from forewarn_dashboard.pages.alarms.closed import closed_body
from forewarn_dashboard.scene import Node, Region, Scene, draw
from forewarn_dashboard.urls import View
from forewarn_dashboard.viewmodels import STATE_TEXT, AlarmRow, alarm_row, rank

TITLE: Final = "Alarms"
BODY_ID: Final = "alarms-body"
LINKS_ID: Final = "alarms-links"
SHOWN: Final = 40  #: on one page

_HEAD: Final = ("Priority", "Asset", "Alarm", "Value and limit", "Raised", "State", "Action", "Acknowledge")


def regions(scene: Scene) -> Iterator[Region]:
    """The list of open alarms is one region; that of closed ones changes only when the page is drawn."""
    if scene.view.closed:
        return
    listed = listing(scene)
    yield Region(id=BODY_ID, key=listed, build=lambda: _body(listed, scene.view))


def render(scene: Scene) -> Node:
    """The whole page."""
    parts = redraw(scene)
    return [
        html.H1("Alarms"),
        html.Div(
            [search_field(scene.view, "Asset or message …"), html.Div(parts[LINKS_ID], id=LINKS_ID, className="links")],
            className="toolbar",
        ),
        html.Div(parts[BODY_ID], id=BODY_ID),
    ]


def redraw(scene: Scene) -> dict[str, Node]:
    """All but the search field, which must stay as it is while somebody types: children by component id."""
    body = (
        {BODY_ID: closed_body(scene.closed or AlarmList(items=[]), scene)}
        if scene.view.closed
        else draw(regions(scene))
    )
    return body | {LINKS_ID: _links(scene.view)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the open alarms that the filters let through, and counts over all of those."""

    rows: tuple[AlarmRow, ...]
    found: int
    waiting: int
    total: int
    number: int


def listing(scene: Scene) -> Listing:
    """The page that the view asks for, worst alarms first; only its rows are made."""
    found = chosen_alarms(scene)
    number = min(scene.view.number, last_page(len(found), SHOWN))
    page = found[(number - 1) * SHOWN : number * SHOWN]
    return Listing(
        rows=tuple(alarm_row(alarm, scene.plant, scene.now, scene.tz) for alarm in page),
        found=len(found),
        waiting=sum(not alarm.acknowledged for alarm in found),
        total=len(scene.plant.alarms),
        number=number,
    )


def chosen_alarms(scene: Scene) -> list[Alarm]:
    """Alarms that the filters let through, worst first."""
    view, needle = scene.view, scene.view.search.casefold()
    chosen = [
        alarm
        for alarm in scene.plant.alarms.values()
        if (not view.priority or alarm.priority == view.priority)
        and not (view.unacknowledged and alarm.acknowledged)
        and (not view.alarms_of or alarm.asset_id == view.alarms_of)
        and (not needle or needle in _text(alarm, scene))
    ]
    return sorted(chosen, key=rank)


def _text(alarm: Alarm, scene: Scene) -> str:
    return f"{alarm.asset_id} {scene.plant.name_of(alarm.asset_id)} {alarm.message} {alarm.rule}".casefold()


def alarm_table(rows: Sequence[AlarmRow], view: View, caption: str, *, with_asset: bool = True) -> html.Div:
    """Table of alarms, on this page and on the asset's."""
    head = _HEAD if with_asset else tuple(text for text in _HEAD if text != "Asset")
    drawn = [_row(row, view, with_asset=with_asset) for row in rows]
    return table(caption, head, drawn, hide_caption=True, cards=True)


def _links(view: View) -> Node:
    priorities = [("All", view.href(priority="", older_than=""), not view.priority)]
    priorities += [
        (p.value.capitalize(), view.href(priority=p.value, older_than=""), view.priority == p)
        for p in reversed(Priority)
    ]
    seen = [
        ("All", view.href(unacknowledged=False), not view.unacknowledged),
        ("Not acknowledged", view.href(unacknowledged=True), view.unacknowledged),
    ]
    states = [
        ("Open", view.href(closed=False, older_than=""), not view.closed),
        ("Closed", view.href(closed=True, older_than=""), view.closed),
    ]
    links = [
        choice_links("State", states),
        choice_links("Priority", priorities),
        choice_links("Acknowledged", seen),
    ]
    if view.alarms_of:
        links.append(
            choice_links("Asset", [(f"Only {view.alarms_of} ×", view.href(alarms_of="", older_than=""), True)])
        )
    return links


def _body(listed: Listing, view: View) -> Node:
    total, found = listed.total, listed.found
    if not total:
        return empty_state("No open alarms", "Every asset is within its limits and behaves as learned.")
    if not found:
        return empty_state("No alarm matches", f"{plural(total, 'alarm')} open. Clear the search or the filters.")
    of_all = "" if found == total else f" of {total:,}"
    first = (listed.number - 1) * SHOWN + 1
    shown = f"; {first:,}–{first + len(listed.rows) - 1:,} shown" if len(listed.rows) < found else ""
    text = f"{found:,}{of_all} open, {listed.waiting:,} not acknowledged{shown}."
    return [
        html.P(text, className="note", role="status"),
        alarm_table(listed.rows, view, "Open alarms"),
        pager(replace(view, number=listed.number), found, SHOWN, "Pages of alarms"),
    ]


def _row(row: AlarmRow, view: View, *, with_asset: bool) -> html.Tr:
    again = f", {row.occurrences} times" if row.occurrences > 1 else ""
    cells = [
        html.Td(priority_badge(row.priority)),
        html.Td(
            [
                html.Div(row.message, className="cell-main"),
                html.Div(row.rule, className="cell-sub"),
            ]
        ),
        html.Td(row.comparison or "–", className="cell-number"),
        html.Td(
            [html.Div(f"{row.age} ago", className="cell-main"), html.Div(row.raised + again, className="cell-sub")]
        ),
        html.Td(
            [
                html.Div(STATE_TEXT[row.state], className="cell-main"),
                html.Div(row.acknowledged, className="cell-sub"),
            ]
        ),
        html.Td(row.action),
        html.Td(_acknowledge(row)),
    ]
    if with_asset:
        link = dcc.Link(row.asset_name, href=view.to("asset", asset_id=row.asset_id))
        cells.insert(
            1,
            html.Td(
                [html.Div(link, className="cell-main"), html.Div(row.asset_id, className="cell-sub")],
                className="cell-asset",
            ),
        )
    return html.Tr(cells, className="row-unseen" if row.can_acknowledge else "row-seen")


def _acknowledge(row: AlarmRow) -> Node:
    if not row.can_acknowledge:
        return html.Span("done", className="cell-sub")
    return html.Button(
        ["Acknowledge", html.Span(f" {row.message} of {row.asset_name}", className="visually-hidden")],
        id={"type": "acknowledge", "alarm": row.alarm_id},
        className="button",
        disable_n_clicks=True,  # a count of clicks starts anew with every drawing: assets/forewarn.js hears the click
        **data(alarm=row.alarm_id, occurrence=row.occurrence_id),
    )


def dialog_text(row: AlarmRow) -> Node:
    """What the acknowledge dialog says about an alarm."""
    return [
        html.P([priority_badge(row.priority), html.Strong(f" {row.message}")]),
        html.P(f"{row.asset_name} ({row.asset_id}), raised {row.raised}, {row.age} ago. {row.comparison}"),
        html.P(f"Action: {row.action}", className="note"),
    ]
