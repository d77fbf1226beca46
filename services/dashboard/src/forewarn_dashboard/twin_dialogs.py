"""The dialogs about an asset's twin: what if, and learning anew. They stay while pages come and go."""

from collections.abc import Mapping
from typing import Final

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from forewarn.domain.physics.unit_symbols import unit_symbol
from forewarn_dashboard.components import aria, table
from forewarn_dashboard.formatting import life_days, quantity, whole
from forewarn_dashboard.scene import Node, Single
from forewarn_dashboard.signing import Wording, signed_dialog
from forewarn_dashboard.twin_answers import Driver, Preset, Twin, WhatIf
from forewarn_dashboard.viewmodels import class_title

SLIDER: Final = "whatif-driver"
PRESET: Final = "whatif-preset"

#: A slider goes this much of the learned width beyond it: far enough to see where the model stops to know.
_BEYOND: Final = 0.5
_STEPS: Final = 200

_RELEARNING: Final = Wording(
    prefix="relearn",
    title="Learn normal behaviour anew",
    signed="Recorded with the new model.",
    text="reason",
    hint="What was done to the machine. May stay empty.",
    confirm="Learn anew",
)


def dialogs() -> tuple[Component, Component]:
    """Both dialogs, closed."""
    asking: Component = dmc.Modal(
        [
            html.Div(id="whatif-drivers"),
            html.Div(id="whatif-result", role="status", className="whatif-result"),
        ],
        id="whatif-dialog",
        title="What if the machine were operated differently?",
        opened=False,
        size="xl",
        closeButtonProps={"aria-label": "Close"},
        transitionProps={"duration": 0},
    )
    return asking, signed_dialog(_RELEARNING)


def relearn_text(name: str, needed: int) -> Node:
    """What an order does, before it is given."""
    return [
        html.P(f"The twin of {name} forgets what is normal and learns it from the next {needed} readings."),
        html.P(
            "Until then nothing is judged. Do this after maintenance, while the machine is healthy.", className="note"
        ),
    ]


def sliders(twin: Twin) -> Node:
    """Named questions, and a slider for each driver whose value and range are known."""
    usable = [driver for driver in twin.drivers if driver.now is not None and driver.learned is not None]
    if not usable:
        return html.P("Nobody can be asked yet: the twin still learns.", className="note")
    buttons = [
        html.Button(preset.title, id={"type": PRESET, "name": preset.name}, className="button", n_clicks=0)
        for preset in twin.presets
    ]
    return [html.Div(buttons, className="whatif-presets"), *(_slider(driver, twin.presets) for driver in usable)]


def _slider(driver: Driver, presets: tuple[Preset, ...]) -> html.Div:
    low, high, now = span_of(driver, presets)
    label = f"{driver.title}, {unit_symbol(driver.unit)}".removesuffix(", ")
    learned = driver.learned
    marks = [] if learned is None else [{"value": learned.low}, {"value": learned.high}]
    return html.Div(
        [
            html.Div(
                [
                    html.Span(driver.title),
                    html.Span(
                        f"now {quantity(now, driver.unit, 3)}"
                        + ("" if learned is None else f", learned {learned.low:.4g} to {learned.high:.4g}"),
                        className="note",
                    ),
                ],
                className="whatif-label",
            ),
            dmc.Slider(
                id={"type": SLIDER, "column": driver.column},
                min=low,
                max=high,
                step=(high - low) / _STEPS,
                precision=4,
                value=now,
                marks=marks,
                thumbLabel=label,
                updatemode="mouseup",
                color="gray",
                size="sm",
            ),
        ],
        className="whatif-driver",
    )


def span_of(driver: Driver, presets: tuple[Preset, ...]) -> tuple[float, float, float]:
    """Least and greatest value of a slider, and where it stands now.

    Raises
    ------
    ValueError
        If the driver's value or range is unknown: then it has no slider.
    """
    if driver.now is None or driver.learned is None:
        raise ValueError(f"{driver.column} has no slider: its value or range is unknown")
    learned, now = driver.learned, driver.now
    width = (learned.high - learned.low) or abs(learned.middle) or 1.0
    asked = [change.of(now) for preset in presets for change in preset.changes if change.column == driver.column]
    low = min(learned.low - _BEYOND * width, now, *asked)
    high = max(learned.high + _BEYOND * width, now, *asked)
    return low, high, now


def result(said: WhatIf, titles: Mapping[str, str]) -> Node:
    """The answer to a question."""
    whose = "other machines of its class" if said.provenance == "fleet" else "its own model"
    return [
        html.P([html.Strong(f"Confidence {said.confidence}"), f", by {whose}."]),
        html.Ul([html.Li(_caution(item.column, item.message, titles)) for item in said.cautions], className="advice")
        if said.cautions
        else None,
        _effects(said),
        table(
            "Expected values after the change",
            ("Signal", "Now", "Expected", "90 % interval", "This machine"),
            [
                _row(
                    titles.get(name, name),
                    quantity(item.measured, item.unit),
                    quantity(item.expected, item.unit),
                    _interval(item.low, item.high),
                    quantity(item.projected, item.unit),
                )
                for name, item in said.responses.items()
            ],
        ),
        table(
            "Recomputed by physics",
            ("Quantity", "Now", "After the change"),
            [
                _row(titles.get(name, name), quantity(item.now, item.unit), quantity(item.projected, item.unit))
                for name, item in said.derived.items()
            ],
        )
        if said.derived
        else None,
    ]


def _effects(said: WhatIf) -> Single:
    parts = []
    if said.health is not None and said.health.now is not None:
        parts.append(html.Li(f"Health by the class's metrics: {whole(said.health.now)} → {whole(said.health.then)}"))
    for life in said.remaining_life:
        then = "not known" if life.then is None else life_days(life.then.p50_days)
        parts.append(html.Li(f"{class_title(life.failure_mode)}: {life_days(life.now.p50_days)} → {then}"))
    return html.Ul(parts, className="whatif-effects", **aria(label="Effects")) if parts else None


def _caution(column: str, message: str, titles: Mapping[str, str]) -> str:
    return f"{titles.get(column, column)}: {message}" if column else message


def _interval(low: float | None, high: float | None) -> str:
    return "not known" if low is None or high is None else f"{low:.4g} to {high:.4g}"


def _row(title: str, *cells: str) -> html.Tr:
    return html.Tr([html.Th(title, scope="row"), *(html.Td(text, className="cell-number") for text in cells)])
