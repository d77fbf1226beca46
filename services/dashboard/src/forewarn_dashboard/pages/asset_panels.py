"""Side panels of the asset page: health, remaining life, contributions, data quality."""

from collections.abc import Mapping, Sequence

from dash import html

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.health import AssetHealth, RulEstimate
from forewarn.contracts.quality import StatusCode, severity
from forewarn_dashboard.components import aria, health_bar, health_words, table
from forewarn_dashboard.formatting import life_days, number, quantity, whole
from forewarn_dashboard.scene import Node, Single
from forewarn_dashboard.viewmodels import TREND_ARROW, class_title, health_trend

_LIFE_SCALE_DAYS = 365.0

#: Status code of every tag of a reading, and what the guard noticed.
Quality = tuple[tuple[tuple[str, int], ...], str | None]


def health_panel(health: AssetHealth | None, titles: Mapping[str, str]) -> Node:
    """Index, category, trend, and what each metric adds."""
    if health is None:
        return html.P("Not known yet: health needs validated readings.", className="note")
    trend = health_trend(health)
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
        table(
            "What the health index is made of",
            ("Metric", "Value", "Score", "Weight"),
            _metrics(health, titles),
            hide_caption=True,
        ),
        html.Ul([html.Li(text) for text in health.recommendations], className="advice")
        if health.recommendations
        else None,
    ]


def _metrics(health: AssetHealth, titles: Mapping[str, str]) -> list[html.Tr]:
    rows = []
    for metric in health.metrics:
        poor = metric.status in {"fair", "poor", "critical"}
        rows.append(
            html.Tr(
                [
                    html.Th(
                        [
                            html.Div(titles.get(metric.name, class_title(metric.name)), className="cell-main"),
                            html.Div(metric.message, className="cell-sub") if metric.message else None,
                        ],
                        scope="row",
                    ),
                    html.Td(quantity(metric.value, metric.unit, 3), className="cell-number"),
                    html.Td(
                        [whole(metric.score), html.Div(metric.status, className=f"cell-sub category-{metric.status}")],
                        className="cell-number cell-poor" if poor else "cell-number",
                    ),
                    html.Td(f"{100 * metric.weight:.0f}\u00a0%", className="cell-number"),
                ]
            )
        )
    return rows


def life_panel(life: Sequence[RulEstimate], asset_class: AssetClass, titles: Mapping[str, str]) -> Node:
    """Per failure mode the median and the interval it lies in."""
    if not life:
        return html.P(
            "No failure mode shows growth that allows an estimate.",
            className="note",
        )
    modes = {mode.id: mode for mode in asset_class.failure_modes}
    longest = max(_LIFE_SCALE_DAYS / 12, min(max(item.p90_days for item in life), _LIFE_SCALE_DAYS))
    parts = []
    for item in sorted(life, key=lambda item: item.p10_days):
        mode = modes.get(item.failure_mode)
        unit = asset_class.units.get(item.indicator, "")
        parts.append(
            html.Div(
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
                    _interval(item, longest),
                    html.P(
                        f"Until {titles.get(item.indicator, item.indicator)} reaches {quantity(item.threshold, unit)} "
                        f"({item.model})",
                        className="cell-sub",
                    ),
                ],
                className="life",
            )
        )
    return parts


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
    """Share of each tag in the anomaly score."""
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
    """Tags of the newest reading whose values are bad or uncertain, and what the guard noticed."""
    if quality is None:
        return html.P("No reading yet.", className="note")
    codes, findings = quality
    issues = [(tag, code) for tag, code in codes if severity(code) != "good"]
    if not issues and not findings:
        return html.P("All values of the newest reading are good.", className="note")
    parts: list[Single] = []
    if issues:
        parts.append(
            html.Ul(
                [
                    html.Li([html.Strong(titles.get(tag, tag)), f": {severity(code)}, {_code_words(code)}"])
                    for tag, code in issues
                ],
                className="advice",
            )
        )
    if findings:
        parts.append(html.P(findings.replace(";", "; "), className="cell-sub"))
    return parts


def _code_words(code: int) -> str:
    try:
        return StatusCode(code).name.replace("_", " ").lower()
    except ValueError:
        return f"status {number(code)}"
