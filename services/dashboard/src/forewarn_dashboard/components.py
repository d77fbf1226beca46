"""Building blocks of the pages. Colour is for the abnormal only, and never the only mark."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from dash import dcc, html

from forewarn.contracts.alarms import Priority
from forewarn.contracts.health import Condition, HealthCategory
from forewarn_dashboard.formatting import UNKNOWN, whole
from forewarn_dashboard.scene import Node
from forewarn_dashboard.view import ListView
from forewarn_dashboard.viewmodels import CONDITION_TEXT, PRIORITY_NUMBER

SEARCH_ID: Final = "search"


def aria(**names: str) -> dict[str, Any]:
    """Return attributes such as ``aria-label``, whose names are not Python identifiers."""
    return {f"aria-{name}": value for name, value in names.items()}


def data(**names: str) -> dict[str, Any]:
    """Return attributes such as ``data-alarm``, which scripts read."""
    return {f"data-{name}": value for name, value in names.items()}


def priority_badge(priority: Priority, *, with_text: bool = True) -> html.Span:
    """Draw the priority as shape, number and word."""
    number = PRIORITY_NUMBER[priority]
    label = priority.value.capitalize()
    mark = html.Span(str(number), className=f"prio prio-{number}", **aria(hidden="true"))
    word = html.Span(label, className="prio-word" if with_text else "visually-hidden")
    return html.Span([mark, word], className="prio-badge")


def condition_badge(condition: Condition) -> html.Span:
    """Draw the condition as shape and word."""
    mark = html.Span(className=f"mark mark-{condition}", **aria(hidden="true"))
    return html.Span([mark, CONDITION_TEXT[condition]], className=f"condition condition-{condition}")


def health_bar(health: float | None, category: HealthCategory | None) -> html.Div:
    """Draw a bar from 0 to 100, coloured only when the category is abnormal."""
    width = 0.0 if health is None else max(0.0, min(health, 100.0))
    kind = "unknown" if category is None else category.value
    return html.Div(
        html.Div(className=f"bar-fill bar-{kind}", style={"width": f"{width:.0f}%"}),
        className="bar",
        **aria(hidden="true"),
    )


def health_words(health: float | None, category: HealthCategory | None) -> html.Span:
    """Draw index and category in words."""
    index = whole(health)
    return html.Span(
        [
            html.Span(index, className="health-index"),
            html.Span(
                category.value.capitalize() if category is not None else ("unknown" if index == UNKNOWN else ""),
                className=f"category category-{category.value if category is not None else 'unknown'}",
            ),
        ],
        className="health-words",
    )


def table(
    caption: str, head: Sequence[str], rows: Sequence[html.Tr], *, hide_caption: bool = False, cards: bool = False
) -> html.Div:
    """Draw a table with a caption and column headers; wide ones scroll, also by keyboard.

    ``cards``: on narrow screens each row becomes a card, so that nothing scrolls.
    """
    return html.Div(
        html.Table(
            [
                html.Caption(caption, className="visually-hidden" if hide_caption else None),
                html.Thead(html.Tr([html.Th(text, scope="col") for text in head])),
                html.Tbody(list(rows)),
            ],
            className="table table-cards" if cards else "table",
        ),
        className="table-scroll",
        tabIndex="0",
        role="region",
        **aria(label=caption),
    )


def panel(title: str, children: Node, identifier: str | None = None) -> html.Section:
    """Draw a titled card; its body can be a live region of the page."""
    body = html.Div(children, id=identifier) if identifier is not None else html.Div(children)
    return html.Section([html.H2(title), body], className="panel")


def empty_state(title: str, *text: Node) -> html.Div:
    """Say that there is nothing to show, and what to do about it."""
    return html.Div([html.H2(title), *(html.P(part) for part in text)], className="empty", role="status")


def choice_links(label: str, choices: Sequence[tuple[str, str, bool]]) -> html.Nav:
    """Draw choices as links (text, address, chosen), which support the back button, bookmarks and the keyboard."""
    items = [
        html.Li(
            dcc.Link(
                [text, html.Span(" (chosen)", className="visually-hidden")] if chosen else text,
                href=href,
                className="chip chip-on" if chosen else "chip",
            )
        )
        for text, href, chosen in choices
    ]
    return html.Nav(
        [html.Span(label, className="chips-label", **aria(hidden="true")), html.Ul(items)],
        className="chips",
        **aria(label=label),
    )


def pager(view: ListView, found: int, per_page: int, label: str) -> html.Nav | None:
    """Draw links to the pages of a list; None if there is only one."""
    last = last_page(found, per_page)
    here = min(view.number, last)
    if last == 1:
        return None
    numbers = sorted({1, here - 1, here, here + 1, last} & set(range(1, last + 1)))
    items: list[html.Li] = []
    for before, number in zip([0, *numbers], numbers, strict=False):
        if number - before > 1:
            items.append(html.Li("…", className="pager-gap", **aria(hidden="true")))
        mark = aria(current="page") if number == here else {}
        link = dcc.Link(
            [html.Span("Page ", className="visually-hidden"), f"{number:,}"],
            href=view.href(number=number),
            className="chip chip-on" if number == here else "chip",
        )
        items.append(html.Li(link, **mark))
    return html.Nav(html.Ul(items), className="chips pager", **aria(label=label))


def last_page(found: int, per_page: int) -> int:
    """Return the number of the last page of a list."""
    return max(-(-found // per_page), 1)


def toolbar(view: ListView, hint: str, links_id: str, links: Node) -> html.Div:
    """Draw the search field, which writes ``q`` into the address, and links."""
    field = dcc.Input(
        id=SEARCH_ID,
        type="search",
        value=view.search,
        debounce=0.4,
        placeholder=hint,
        className="field",
        maxLength=100,
    )
    search = html.Div([html.Label("Search", htmlFor=SEARCH_ID, className="chips-label"), field], className="search")
    return html.Div([search, html.Div(links, id=links_id, className="links")], className="toolbar")


def definition_list(items: Sequence[tuple[str, Node]]) -> html.Dl:
    """Draw terms and values."""
    return html.Dl([html.Div([html.Dt(term), html.Dd(value)]) for term, value in items], className="facts")


def notice(text: str, *, error: bool = False) -> html.Div:
    """Return a message for the shell's place ``notice``; the next one replaces it."""
    return html.Div(text, className="banner banner-error" if error else "banner banner-info")


def cell(main: Node, below: Node = None, style: str | None = None) -> html.Td:
    """Draw a table cell of two lines."""
    return html.Td([html.Div(main, className="cell-main"), html.Div(below, className="cell-sub")], className=style)


def value_row(title: str, *values: str, poor: bool = False) -> html.Tr:
    """Draw a table row of a quantity and its values; the first value is marked if it is poor."""
    styles = ["cell-number cell-poor" if poor else "cell-number", *("cell-number" for _ in values[1:])]
    cells = [html.Td(text, className=style) for text, style in zip(values, styles, strict=True)]
    return html.Tr([html.Th(title, scope="row"), *cells])


def bullets(items: Iterable[Node], style: str = "advice") -> html.Ul | None:
    """Draw a list; None without items."""
    points = [html.Li(item) for item in items]
    return html.Ul(points, className=style) if points else None
