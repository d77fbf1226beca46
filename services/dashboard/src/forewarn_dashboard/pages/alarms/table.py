"""Table of open alarms, for the alarms page and the asset page."""

from collections.abc import Sequence
from typing import Final

from dash import dcc, html

from forewarn_dashboard.components import cell, data, priority_badge, table
from forewarn_dashboard.pages.alarms.viewmodel import STATE_TEXT, AlarmRow
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.scene import Node
from forewarn_dashboard.view import View

_HEAD: Final = ("Priority", "Asset", "Alarm", "Value and limit", "Raised", "State", "Action", "Acknowledge")


def alarm_table(rows: Sequence[AlarmRow], view: View, caption: str, *, with_asset: bool = True) -> html.Div:
    """Draw the table; without assets on an asset's own page."""
    head = _HEAD if with_asset else tuple(text for text in _HEAD if text != "Asset")
    drawn = [_row(row, view, with_asset=with_asset) for row in rows]
    return table(caption, head, drawn, hide_caption=True, cards=True)


def _row(row: AlarmRow, view: View, *, with_asset: bool) -> html.Tr:
    again = f", {row.occurrences} times" if row.occurrences > 1 else ""
    cells = [
        html.Td(priority_badge(row.priority)),
        cell(row.message, row.rule),
        html.Td(row.comparison or "–", className="cell-number"),
        cell(f"{row.age} ago", row.raised + again),
        cell(STATE_TEXT[row.state], row.acknowledged),
        html.Td(row.action),
        html.Td(_acknowledge(row)),
    ]
    if with_asset:
        link = dcc.Link(row.asset_name, href=view.to(AssetView, asset_id=row.asset_id))
        cells.insert(1, cell(link, row.asset_id, "cell-asset"))
    return html.Tr(cells, className="row-unseen" if row.can_acknowledge else "row-seen")


def _acknowledge(row: AlarmRow) -> Node:
    if not row.can_acknowledge:
        return html.Span("done", className="cell-sub")
    return html.Button(
        ["Acknowledge", html.Span(f" {row.message} of {row.asset_name}", className="visually-hidden")],
        id={"type": "acknowledge", "alarm": row.alarm_id},
        className="button",
        disable_n_clicks=True,  # redrawing resets its count of clicks, so assets/forewarn.js handles them
        **data(alarm=row.alarm_id, occurrence=row.occurrence_id),
    )
