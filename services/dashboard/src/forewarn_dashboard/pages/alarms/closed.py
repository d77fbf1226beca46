"""Alarms that are over, as the database has them: every time that one was closed."""

from typing import Final

from dash import dcc, html

from forewarn.contracts.answers.alarms import AlarmItem, AlarmList
from forewarn_dashboard.client import ApiError
from forewarn_dashboard.components import empty_state, priority_badge, table
from forewarn_dashboard.formatting import date_time, duration, plural
from forewarn_dashboard.scene import Node, Scene
from forewarn_dashboard.urls import View
from forewarn_dashboard.viewmodels import comparison

_HEAD: Final = ("Priority", "Asset", "Alarm", "Value and limit", "Raised", "Closed", "Acknowledged")


def closed_body(closed: AlarmList | ApiError, scene: Scene) -> Node:
    """The list with the way to older ones, or why there is none."""
    view = scene.view
    if isinstance(closed, ApiError):
        return empty_state("Closed alarms cannot be read", str(closed), "Reload the page to try again.")
    chosen = [item for item in closed.items if _matches(item, scene)]
    if not chosen and not closed.next_cursor:
        none = "No alarm has been closed yet" if not view.older_than else "There are no older ones"
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


def _matches(item: AlarmItem, scene: Scene) -> bool:
    alarm, needle = item.alarm, scene.view.search.casefold()
    if scene.view.unacknowledged and alarm.acknowledged:
        return False
    return needle in f"{alarm.asset_id} {_name(item, scene)} {alarm.message} {alarm.rule}".casefold()


def _name(item: AlarmItem, scene: Scene) -> str:
    asset = scene.plant.assets.get(item.alarm.asset_id)
    return item.alarm.asset_id if asset is None else asset.name


def _row(item: AlarmItem, scene: Scene) -> html.Tr:
    alarm = item.alarm
    lasted = None if item.closed_at is None else (item.closed_at - alarm.raised_at).total_seconds()
    again = f"{alarm.occurrences} times" if alarm.occurrences > 1 else ""
    link = dcc.Link(_name(item, scene), href=scene.view.to("asset", asset_id=alarm.asset_id))
    by = f"by {alarm.acknowledged_by or 'unknown'}" if alarm.acknowledged else "never"
    return html.Tr(
        [
            html.Td(priority_badge(alarm.priority)),
            _cell(link, alarm.asset_id, "cell-asset"),
            _cell(alarm.message, alarm.rule),
            html.Td(comparison(alarm) or "–", className="cell-number"),
            _cell(date_time(alarm.raised_at, scene.tz), again),
            _cell(date_time(item.closed_at, scene.tz), f"after {duration(lasted)}"),
            _cell(by, alarm.comment),
        ],
        className="row-seen",
    )


def _cell(main: Node, below: str, style: str | None = None) -> html.Td:
    return html.Td([html.Div(main, className="cell-main"), html.Div(below, className="cell-sub")], className=style)


def _paging(closed: AlarmList, view: View) -> Node:
    places = (("Newest", "", view.older_than), ("Older", closed.next_cursor, closed.next_cursor))
    return [
        dcc.Link(text, href=view.href(older_than=to), className="chip") if shown else None for text, to, shown in places
    ]
