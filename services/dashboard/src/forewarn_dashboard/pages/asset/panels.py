"""Side panels of the asset page: health, remaining life, contributions, data quality."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dash import html

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.health import (
    AssetHealth,
    ComponentName,
    FailureRisk,
    HealthComponent,
    HealthMetric,
    ProcessDrift,
    RulEstimate,
)
from forewarn.contracts.quality import StatusCode, severity
from forewarn_dashboard.components import aria, bullets, health_bar, health_words, table
from forewarn_dashboard.formatting import life_days, number, quantity, whole
from forewarn_dashboard.pages.asset.viewmodel import health_trend
from forewarn_dashboard.scene import Node, Single
from forewarn_dashboard.viewmodels import TREND_ARROW, class_title

_LIFE_SCALE_DAYS = 365.0

#: Names of the components of the health index.
COMPONENT_TITLES: Final[Mapping[ComponentName, str]] = {
    "twin": "Digital twin",
    "anomaly": "Anomaly detection",
    "rul": "Remaining useful life",
    "risk": "Risk of failure",
}

#: Status code of every tag of a reading, and the guard's findings.
Quality = tuple[tuple[tuple[str, int], ...], str | None]


def health_panel(health: AssetHealth | None, titles: Mapping[str, str]) -> Node:
    """Draw index, category, trend, and the parts of metrics and components."""
    if health is None:
        return html.P("Not known yet: health needs valid readings.", className="note")
    trend = health_trend(health)
    metrics = [
        _row(titles.get(item.name, class_title(item.name)), item, quantity(item.value, item.unit, 3))
        for item in health.metrics
    ]
    components = [_row(COMPONENT_TITLES[item.name], item) for item in health.components]
    return [
        html.Div(
            [
                health_words(health.health, health.category),
                html.Span(f"{TREND_ARROW[health.trend]} {trend}", className=f"trend trend-{health.trend}")
                if trend
                else None,
            ],
            className="panel-headline",
        ),
        health_bar(health.health, health.category),
        html.P(health.primary_concern, className="concern") if health.primary_concern else None,
        _drift(health.process_drift),
        _views(health),
        table("Condition by metrics", ("Metric", "Value", "Score", "Weight"), metrics, hide_caption=True),
        table("Behaviour and outlook", ("Component", "Score", "Weight"), components, hide_caption=True)
        if components
        else None,
        bullets(health.recommendations),
    ]


def _drift(drift: ProcessDrift | None) -> Single:
    """Draw process drift: a lasting change of operation, not a fault."""
    if drift is None:
        return None
    return html.P([html.Strong("Process drift, perhaps a new normal. "), drift.explanation, "."], className="note")


def _views(health: AssetHealth) -> Single:
    """Draw the two views; the index is the lower one."""
    if health.condition is None and health.component_index is None:
        return None
    views = f"Condition {whole(health.condition)}, behaviour and outlook {whole(health.component_index)}"
    return html.P(f"{views}: the lower one counts.", className="note")


def _row(title: str, item: HealthMetric | HealthComponent, value: str | None = None) -> html.Tr:
    poor = item.status in {"fair", "poor", "critical"}
    return html.Tr(
        [
            html.Th(
                [
                    html.Div(title, className="cell-main"),
                    html.Div(item.message, className="cell-sub") if item.message else None,
                ],
                scope="row",
            ),
            None if value is None else html.Td(value, className="cell-number"),
            html.Td(
                [whole(item.score), html.Div(item.status, className=f"cell-sub category-{item.status}")],
                className="cell-number cell-poor" if poor else "cell-number",
            ),
            html.Td(f"{100 * item.weight:.0f}\u00a0%", className="cell-number"),
        ]
    )


def life_panel(life: Sequence[RulEstimate] | None, asset_class: AssetClass, titles: Mapping[str, str]) -> Node:
    """Draw median and interval of each failure mode; ``life`` is None before the first health."""
    if life is None:
        return html.P("Not known yet: it needs a history of health.", className="note")
    if not life:
        return html.P(
            "No failure mode is growing.",
            className="note",
        )
    longest = max(_LIFE_SCALE_DAYS / 12, min(max(item.p90_days for item in life), _LIFE_SCALE_DAYS))
    return [_life(item, longest, asset_class, titles) for item in sorted(life, key=lambda item: item.p10_days)]


def _life(item: RulEstimate, longest_days: float, asset_class: AssetClass, titles: Mapping[str, str]) -> html.Div:
    mode = next((mode for mode in asset_class.failure_modes if mode.id == item.failure_mode), None)
    unit = asset_class.units.get(item.indicator, "")
    return html.Div(
        [
            html.H3(mode.title if mode is not None else class_title(item.failure_mode)),
            html.P(
                [
                    html.Span(life_days(item.p50_days), className="readout-value"),
                    html.Span(
                        f"{100 * item.confidence:.0f} % interval {life_days(item.p10_days)} – "
                        f"{life_days(item.p90_days)}",
                        className="note",
                    ),
                ],
                className="readout",
            ),
            _interval(item, longest_days),
            html.P(_risk_words(item.risk), className="cell-sub") if item.risk is not None else None,
            html.P(
                f"Until {titles.get(item.indicator, item.indicator)} reaches {quantity(item.threshold, unit)} "
                f"({item.model})",
                className="cell-sub",
            ),
        ],
        className="life",
    )


def _risk_words(risk: FailureRisk) -> str:
    shares = (risk.within_7_days, risk.within_30_days, risk.within_90_days)
    said = ", ".join(f"{100 * p:.0f}\u00a0% in {days} d" for p, days in zip(shares, (7, 30, 90), strict=True))
    return f"Probability of failure: {said}"


def _interval(item: RulEstimate, longest_days: float) -> html.Div:
    low, middle, high = (100 * min(days / longest_days, 1.0) for days in (item.p10_days, item.p50_days, item.p90_days))
    return html.Div(
        [
            html.Div(className="interval-range", style={"left": f"{low:.1f}%", "width": f"{max(high - low, 1):.1f}%"}),
            html.Div(className="interval-middle", style={"left": f"{min(middle, 99):.1f}%"}),
        ],
        className="interval",
        **aria(hidden="true"),
    )


def contributions_panel(shares: Sequence[tuple[str, float]]) -> Node:
    """Draw each tag's share in the anomaly score."""
    if not shares:
        return html.P("Not known until the twin judges live readings.", className="note")
    return html.Table(
        [
            html.Caption("Share of each signal in the anomaly score", className="visually-hidden"),
            html.Tbody(
                [
                    html.Tr(
                        [
                            html.Th(title, scope="row"),
                            html.Td(
                                html.Div(
                                    html.Div(className="bar-fill", style={"width": f"{share:.0f}%"}), className="bar"
                                ),
                                className="cell-bar",
                            ),
                            html.Td(f"{share:.0f}\u00a0%", className="cell-number"),
                        ]
                    )
                    for title, share in shares
                ]
            ),
        ],
        className="table table-plain",
    )


def quality_panel(quality: Quality | None, titles: Mapping[str, str]) -> Node:
    """Draw bad and uncertain values of the newest reading, and the guard's findings."""
    if quality is None:
        return html.P("No reading yet.", className="note")
    codes, findings = quality
    issues = [(tag, code) for tag, code in codes if severity(code) != "good"]
    if not issues and not findings:
        return html.P("All values of the newest reading are good.", className="note")
    listed: Iterable[Node] = (
        [html.Strong(titles.get(tag, tag)), f": {severity(code)}, {_code_words(code)}"] for tag, code in issues
    )
    return [bullets(listed), html.P(findings.replace(";", "; "), className="cell-sub") if findings else None]


def _code_words(code: int) -> str:
    try:
        return StatusCode(code).name.replace("_", " ").lower()
    except ValueError:
        return f"status {number(code)}"
