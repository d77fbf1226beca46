"""Side panel of the asset page: what its twin has learned, and how well."""

from collections.abc import Mapping
from datetime import tzinfo

from dash import html

from forewarn.contracts.health import ModelArtefact
from forewarn_dashboard.client import AssetDetail
from forewarn_dashboard.components import definition_list, table
from forewarn_dashboard.formatting import date_time
from forewarn_dashboard.scene import Node, Single

ASK_ID = "whatif-open"
RELEARN_ID = "relearn-open"


def twin_panel(detail: AssetDetail, titles: Mapping[str, str], tz: tzinfo) -> Node:
    """Card of the model with R² per tag, what is not judged and why, what is suspicious, who asked."""
    buttons = html.Div(
        [
            html.Button("What if …", id=ASK_ID, className="button", n_clicks=0),
            html.Button("Learn anew …", id=RELEARN_ID, className="button", n_clicks=0),
        ],
        className="twin-buttons",
    )
    if detail.model is None:
        text = "No model of its own yet: it learns from the first readings while the machine runs."
        return [html.P(text, className="note"), buttons]
    return [*_card(detail.model, titles, tz), buttons]


def _card(model: ModelArtefact, titles: Mapping[str, str], tz: tzinfo) -> list[Single]:
    facts: list[tuple[str, Node]] = [
        ("Version", f"{model.version}, {model.method}"),
        (
            "Learned from",
            f"{model.rows} readings, {date_time(model.trained_from, tz)} to {date_time(model.trained_to, tz)}",
        ),
        ("Asked by", f"{model.requested_by}: {model.reason}" if model.reason else model.requested_by),
    ]
    return [
        definition_list(facts),
        table(
            "How much of each signal the twin explains (R²), cross-validated",
            ("Signal", "R²"),
            [
                html.Tr(
                    [
                        html.Th(titles.get(tag, tag), scope="row"),
                        html.Td(f"{value:.3f}", className="cell-number cell-poor" if value < 0 else "cell-number"),
                    ]
                )
                for tag, value in model.r2.items()
            ],
            hide_caption=True,
        ),
        _told("Not judged", [(titles.get(tag, tag), reason) for tag, reason in model.unjudged.items()]),
        _told(
            f"Suspicious in the baseline ({100 * model.suspicious_share:.0f} % of it)",
            [
                (f"{date_time(item.start, tz)} to {date_time(item.end, tz)}", item.explanation)
                for item in model.suspicious
            ],
        ),
    ]


def _told(heading: str, items: list[tuple[str, str]]) -> Single:
    if not items:
        return None
    return html.Div(
        [
            html.H3(heading),
            html.Ul([html.Li([html.Strong(name), f": {text}"]) for name, text in items], className="advice"),
        ]
    )
