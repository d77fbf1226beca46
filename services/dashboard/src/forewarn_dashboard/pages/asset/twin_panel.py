"""Side panel of the asset page: what the twin has learned, and how well."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from dash import html

from forewarn.contracts.answers.twin import FleetExpectation, FleetJudgement
from forewarn.contracts.health import ModelArtefact
from forewarn_dashboard.components import bullets, definition_list, table, value_row
from forewarn_dashboard.details import AssetProfile
from forewarn_dashboard.formatting import date_time, number, plural, quantity
from forewarn_dashboard.pages.asset import retraining, whatif
from forewarn_dashboard.scene import Node, Single

_NAMED: Final = 3  # most machines of a fleet to name


def twin_panel(detail: AssetProfile, titles: Mapping[str, str], tz: tzinfo) -> list[Single]:
    """Draw the model: R² of each tag, unjudged tags and why, suspicious stretches, who requested it."""
    buttons = html.Div(
        [
            html.Button("What if …", id=whatif.OPEN_ID, className="button", n_clicks=0),
            html.Button("Retrain …", id=retraining.OPEN_ID, className="button", n_clicks=0),
        ],
        className="twin-buttons",
    )
    if detail.model is None:
        text = "No model of its own yet: it is learning from the first readings."
        return [html.P(text, className="note"), buttons]
    return [*_card(detail.model, titles, tz), buttons]


def fleet_note(fleet: FleetJudgement | None, titles: Mapping[str, str], tz: tzinfo) -> Node:
    """Draw the newest reading as judged by other machines of the class, with its confidence."""
    if fleet is None:
        return None
    others = ", ".join(fleet.members[:_NAMED]) + (", …" if len(fleet.members) > _NAMED else "")
    said = (
        "None of them has run like this: no judgement."
        if fleet.deviation is None
        else f"Deviation {number(fleet.deviation, 3)} ({fleet.band})."
    )
    return [
        html.P(
            [
                html.Strong(f"Judged by {plural(len(fleet.members), 'other machine')} of its class"),
                f" ({others}). {said}",
            ]
        ),
        html.P(
            f"{fleet.confidence.capitalize()} confidence, for the reading of {date_time(fleet.reading_at, tz)}. "
            "Not stored, raises no alarm.",
            className="note",
        ),
        table(
            "What other machines of the class would measure",
            ("Signal", "Measured", "Expected", "90 % interval"),
            [_expectation(titles.get(name, name), item) for name, item in fleet.responses.items()],
            hide_caption=True,
        )
        if fleet.responses
        else None,
    ]


def _expectation(title: str, item: FleetExpectation) -> html.Tr:
    outside = item.measured is not None and not item.low <= item.measured <= item.high
    interval = f"{number(item.low)} – {number(item.high)}"
    return value_row(
        title, quantity(item.measured, item.unit), quantity(item.expected, item.unit), interval, poor=outside
    )


def _card(model: ModelArtefact, titles: Mapping[str, str], tz: tzinfo) -> list[Single]:
    facts: list[tuple[str, Node]] = [
        ("Version", f"{model.version}, {model.method}"),
        (
            "Learned from",
            f"{model.rows} readings, {date_time(model.trained_from, tz)} to {date_time(model.trained_to, tz)}",
        ),
        ("Requested by", f"{model.requested_by}: {model.reason}" if model.reason else model.requested_by),
    ]
    return [
        definition_list(facts),
        table(
            "How much of each signal the twin explains (R²), cross-validated",
            ("Signal", "R²"),
            [value_row(titles.get(tag, tag), f"{value:.3f}", poor=value < 0) for tag, value in model.r2.items()],
            hide_caption=True,
        ),
        _reasons("Not judged", [(titles.get(tag, tag), reason) for tag, reason in model.unjudged.items()]),
        _reasons(
            f"Suspicious in the baseline ({100 * model.suspicious_share:.0f} % of it)",
            [
                (f"{date_time(item.start, tz)} to {date_time(item.end, tz)}", item.explanation)
                for item in model.suspicious
            ],
        ),
    ]


def _reasons(heading: str, items: list[tuple[str, str]]) -> Single:
    if not items:
        return None
    return html.Div([html.H3(heading), bullets([html.Strong(name), f": {text}"] for name, text in items)])
