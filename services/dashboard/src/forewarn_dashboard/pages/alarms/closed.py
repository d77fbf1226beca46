"""Closed alarms, from the database: an entry each time one closed."""

from typing import Final

from dash import dcc, html

from forewarn.contracts.answers.alarms import AlarmItem, AlarmList
from forewarn_dashboard.client import ApiError
from forewarn_dashboard.components import cell, empty_state, priority_badge, table
from forewarn_dashboard.formatting import date_time, duration, plural
from forewarn_dashboard.pages.alarms.address import AlarmsView
from forewarn_dashboard.pages.alarms.viewmodel import comparison, matches
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.scene import Node, Scene

_HEAD: Final = ("Priority", "Asset", "Alarm", "Value and limit", "Raised", "Closed", "Acknowledged")


def closed_body(closed: AlarmList | ApiError, scene: Scene[AlarmsView]) -> Node:
    """Draw the list with a link to older alarms, or why it is missing."""
    view = scene.view
    if isinstance(closed, ApiError):
        return empty_state("Closed alarms cannot be read", str(closed), "Reload the page to try again.")
    chosen = [item for item in closed.items if matches(item.alarm, scene.view, scene.plant)]
    if not chosen and not closed.next_cursor:
        none = "There are no older ones" if view.older_than else "No alarm has been closed yet"
        return empty_state("No closed alarm", f"{none}, or none matches the search and the filters.")
    return [
        html.P(
            f"{plural(len(chosen), 'closed alarm')} here, the newest closed first.",
            className="note",
            role="status",
        ),
        table("Closed alarms", _HEAD, [_row(item, scene) for item in chosen], hide_caption=True, cards=True),
        html.P(_paging(closed, view), className="links"),
    ]


def _row(item: AlarmItem, scene: Scene[AlarmsView]) -> html.Tr:
    alarm = item.alarm
    lasted = None if item.closed_at is None else (item.closed_at - alarm.raised_at).total_seconds()
    again = f"{alarm.occurrences} times" if alarm.occurrences > 1 else ""
    link = dcc.Link(scene.plant.name_of(alarm.asset_id), href=scene.view.to(AssetView, asset_id=alarm.asset_id))
    by = f"by {alarm.acknowledged_by or 'unknown'}" if alarm.acknowledged else "never"
    return html.Tr(
        [
            html.Td(priority_badge(alarm.priority)),
            cell(link, alarm.asset_id, "cell-asset"),
            cell(alarm.message, alarm.rule),
            html.Td(comparison(alarm) or "–", className="cell-number"),
            cell(date_time(alarm.raised_at, scene.tz), again),
            cell(date_time(item.closed_at, scene.tz), f"after {duration(lasted)}"),
            cell(by, alarm.comment),
        ],
        className="row-seen",
    )


def _paging(closed: AlarmList, view: AlarmsView) -> Node:
    places = (("Newest", "", view.older_than), ("Older", closed.next_cursor, closed.next_cursor))
    return [
        dcc.Link(text, href=view.href(older_than=to), className="chip") if shown else None for text, to, shown in places
    ]
