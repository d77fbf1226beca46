"""The values of a chart as a table, for those who cannot or prefer not to read charts."""

from collections.abc import Sequence
from typing import Any, Final

from dash import html

from forewarn_dashboard.client import HistoryColumns
from forewarn_dashboard.components import aria
from forewarn_dashboard.formatting import date_time, number, zone_label
from forewarn_dashboard.scene import Scene

ROWS: Final = 60

Column = tuple[str, Sequence[float | None]]


def values_table(scene: Scene[Any], history: HistoryColumns, title: str, columns: Sequence[Column]) -> html.Details:
    """Draw at most 60 evenly spaced rows, newest first; the download has all."""
    step = max(1, -(-len(history.times) // ROWS))
    caption = f"{title}, newest first, as the page was opened ({zone_label(scene.tz, scene.now)})"
    head = [html.Th(text, scope="col") for text in ("Time", *(name for name, _ in columns))]
    rows = [
        html.Tr(
            [
                html.Th(date_time(history.times[i], scene.tz), scope="row"),
                *(html.Td(_cell(name, values[i]), className="cell-number") for name, values in columns),
            ]
        )
        for i in range(len(history.times) - 1, -1, -step)
    ]
    body = html.Table(
        [html.Caption(caption), html.Thead(html.Tr(head)), html.Tbody(rows)], className="table table-values"
    )
    scroller = html.Div(
        body, className="table-scroll table-limited", tabIndex="0", role="region", **aria(label=caption)
    )
    summary = html.Summary(["Values as a table", html.Span(f": {title}", className="visually-hidden")])
    return html.Details([summary, scroller], id={"type": "values", "title": title})


def _cell(name: str, value: float | None) -> str:
    if name == "Flag" and value is not None:
        return "yes" if value else "no"
    return number(value)
