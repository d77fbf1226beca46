"""Open alarms, most urgent first, and closed ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from dash import html

from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.answers.alarms import AlarmList
from forewarn_dashboard.client import ApiError, ClosedQuery
from forewarn_dashboard.components import (
    choice_links,
    empty_state,
    last_page,
    pager,
    toolbar,
)
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.formatting import plural
from forewarn_dashboard.page import PageSpec
from forewarn_dashboard.pages.alarms import acknowledging
from forewarn_dashboard.pages.alarms.address import AlarmsView
from forewarn_dashboard.pages.alarms.closed import closed_body
from forewarn_dashboard.pages.alarms.table import alarm_table
from forewarn_dashboard.pages.alarms.viewmodel import AlarmRow, alarm_row, matches, rank
from forewarn_dashboard.scene import Node, Region, Scene, Update, draw
from forewarn_dashboard.tab import Tab

BODY_ID: Final = "alarms-body"
LINKS_ID: Final = "alarms-links"
SHOWN: Final = 40  #: on one page
CLOSED_AGAIN_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsScene(Scene[AlarmsView]):
    """``closed``: closed alarms, or why they are not available."""

    closed: AlarmList | ApiError | None = None


async def load(scene: Scene[AlarmsView], dependencies: Dependencies) -> AlarmsScene:
    """Load closed alarms and, in a large plant, names of assets with open ones."""
    view, hub = scene.view, dependencies.hub
    if not view.closed:
        if hub.large:
            await hub.fleet.learn_names({row.asset_id for row in listing(scene).rows})
        return AlarmsScene(**scene.shared())
    query = ClosedQuery(asset_id=view.alarms_of, priority=view.priority, older_than=view.older_than)
    try:
        return AlarmsScene(**scene.shared(), closed=await dependencies.api.closed_alarms(query))
    except ApiError as exc:
        return AlarmsScene(**scene.shared(), closed=exc)


async def follow(scene: Scene[AlarmsView], dependencies: Dependencies, tab: Tab) -> list[Update]:
    """Return changed regions. Closed alarms are not in the feed, so their newest page is redrawn now and then."""
    if not scene.view.closed:
        return tab.changed(regions(await load(scene, dependencies)))
    period = scene.now.timestamp() // CLOSED_AGAIN_S
    drawn = tab.keys.setdefault("closed", period)
    return [] if drawn == period or scene.view.older_than else tab.refresh(f"closed {period:.0f}")


def regions(scene: AlarmsScene) -> Iterator[Region]:
    """Yield the list of open alarms; that of closed ones changes only when the page is redrawn."""
    if scene.view.closed:
        return
    listed = listing(scene)
    yield Region(id=BODY_ID, key=listed, build=lambda: _body(listed, scene.view))


def render(scene: AlarmsScene) -> Node:
    """Draw the whole page."""
    parts = redraw(scene)
    return [
        html.H1("Alarms"),
        toolbar(scene.view, "Asset or message …", LINKS_ID, parts[LINKS_ID]),
        html.Div(parts[BODY_ID], id=BODY_ID),
    ]


def redraw(scene: AlarmsScene) -> dict[str, Node]:
    """Draw all but the search field, which must not change while somebody types; return children by component id."""
    body = (
        {BODY_ID: closed_body(scene.closed or AlarmList(items=[]), scene)}
        if scene.view.closed
        else draw(regions(scene))
    )
    return body | {LINKS_ID: _links(scene.view)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the filtered open alarms, and counts."""

    rows: tuple[AlarmRow, ...]
    found: int
    waiting: int
    total: int
    number: int


def listing(scene: Scene[AlarmsView]) -> Listing:
    """Return a page of alarms, worst first; rows are built for this page only."""
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


def chosen_alarms(scene: Scene[AlarmsView]) -> list[Alarm]:
    """Return the filtered alarms, worst first."""
    view, plant = scene.view, scene.plant
    chosen = [
        alarm
        for alarm in plant.alarms.values()
        if (not view.priority or alarm.priority == view.priority)
        and (not view.alarms_of or alarm.asset_id == view.alarms_of)
        and matches(alarm, view, plant)
    ]
    return sorted(chosen, key=rank)


def _links(view: AlarmsView) -> Node:
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


def _body(listed: Listing, view: AlarmsView) -> Node:
    total, found = listed.total, listed.found
    if not total:
        return empty_state("No open alarms", "Every asset is within its limits and behaves normally.")
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


ALARMS: Final = PageSpec(
    title="Alarms",
    view=AlarmsView,
    load=load,
    regions=regions,
    render=render,
    redraw=redraw,
    follow=follow,
    badge=("alarm-count", lambda plant: len(plant.alarms)),
    stores=acknowledging.STORES,
    dialogs=acknowledging.dialogs,
    register=acknowledging.register,
)
