"""An asset: measured and expected values, anomaly, health, remaining life, alarms."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from fastapi import FastAPI

from forewarn.contracts.alarms import Alarm
from forewarn.contracts.health import Condition
from forewarn_dashboard.client import ApiNotFoundError, HistoryRequest, JudgedReading
from forewarn_dashboard.components import aria, condition_badge, empty_state, panel
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.details import AssetProfile
from forewarn_dashboard.formatting import clock_time, date_time, duration, plot_time
from forewarn_dashboard.page import CannotShowError, PageSpec, run_in_browser
from forewarn_dashboard.pages.alarms.table import alarm_table
from forewarn_dashboard.pages.alarms.viewmodel import AlarmRow, alarm_row, rank
from forewarn_dashboard.pages.asset import figures, removing, retraining, whatif
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.asset.charts import (
    READOUT,
    TREND,
    anomaly_card,
    legends,
    readout_words,
    score_words,
    shown_tags,
    trend_cards,
)
from forewarn_dashboard.pages.asset.controls import APPLY_ID, FROM_ID, TO_ID, controls
from forewarn_dashboard.pages.asset.download import add_download
from forewarn_dashboard.pages.asset.economics_panel import economics_panel
from forewarn_dashboard.pages.asset.forecast_panel import forecast_panel, is_due
from forewarn_dashboard.pages.asset.nameplate import nameplate
from forewarn_dashboard.pages.asset.panels import contributions_panel, health_panel, life_panel, quality_panel
from forewarn_dashboard.pages.asset.scene import AssetScene
from forewarn_dashboard.pages.asset.timerange import TimeRangeError, resolve
from forewarn_dashboard.pages.asset.twin_panel import fleet_note, twin_panel
from forewarn_dashboard.pages.asset.viewmodel import contributions, readout, twin_status, verdict
from forewarn_dashboard.pages.overview.address import OverviewView
from forewarn_dashboard.scene import Node, Region, Scene, Update, draw
from forewarn_dashboard.tab import Tab
from forewarn_dashboard.viewmodels import area, condition

FLEET_ID: Final = "asset-fleet"


async def load(scene: Scene[AssetView], dependencies: Dependencies) -> AssetScene:
    """Load what rarely changes; in a large plant, also follow the asset."""
    view = scene.view
    try:
        window = resolve(view.start, view.end, scene.now)
        detail = await dependencies.details.get(view.asset_id)
    except TimeRangeError as exc:
        back = dcc.Link("Show the last 30 minutes", href=view.to(AssetView, asset_id=view.asset_id))
        content = [html.H1("This cannot be shown"), empty_state("Check the address", str(exc), back)]
        raise CannotShowError(view.asset_id, content) from exc
    except ApiNotFoundError as exc:
        back = dcc.Link("See all assets", href=view.to(OverviewView))
        text = "It may have been removed, or the address is mistyped."
        content = [html.H1("Asset not found"), empty_state(f"There is no asset {view.asset_id}", text, back)]
        raise CannotShowError("Asset not found", content) from exc
    if dependencies.hub.large:
        await dependencies.hub.fleet.watch(detail.asset)
    return AssetScene(**scene.shared(), detail=detail, window=window)


async def load_history(scene: Scene[AssetView], dependencies: Dependencies) -> AssetScene:
    """Load everything, including the history of the charts."""
    loaded = await load(scene, dependencies)
    query = HistoryRequest(
        start=loaded.window.start,
        end=loaded.window.end,
        columns=shown_tags(scene.view, loaded.detail.asset_class),
        max_points=figures.HISTORY_POINTS,
    )
    return replace(loaded, history=await dependencies.api.history(scene.view.asset_id, query))


async def follow(scene: Scene[AssetView], dependencies: Dependencies, tab: Tab) -> list[Update]:
    """Return changed regions, and readings that continue the charts."""
    hub, asset_id = dependencies.hub, scene.view.asset_id
    if not hub.large and asset_id not in hub.plant.assets:
        return []  # do not request an unknown asset every second
    loaded = await load(scene, dependencies)
    if asset_id not in hub.plant.assets:
        return []
    recent = scene.plant.live(asset_id).recent
    fresh = [reading for reading in recent if tab.newest is None or reading.ts >= tab.newest]
    if tab.newest is not None and fresh and len(fresh) == recent.maxlen:
        return tab.refresh(f"gap {fresh[0].ts.isoformat()}")  # older readings may have been missed
    updates = tab.changed(regions(loaded))
    if loaded.window.follows_now:
        updates.append(("frame", {"data": _frame(fresh, tab.page.render_id, loaded)}))
        tab.newest = fresh[-1].ts if fresh else tab.newest
    return updates


def _frame(fresh: list[JudgedReading], render_id: str, scene: AssetScene) -> dict[str, Any]:
    """Return the readings that continue the charts, and the window to show."""
    window, usual = scene.window, scene.plant.live(scene.view.asset_id).interval()
    return {
        "render_id": render_id,
        "from": plot_time(window.start, scene.tz),
        "to": plot_time(window.end, scene.tz),
        "bucket_ms": figures.bucket(window).total_seconds() * 1000,
        "usual_ms": 0.0 if usual is None else usual.total_seconds() * 1000,
        "times": [plot_time(reading.ts, scene.tz) for reading in fresh],
        "columns": figures.live_columns(fresh, shown_tags(scene.view, scene.detail.asset_class)),
    }


def regions(scene: AssetScene) -> Iterator[Region]:
    """Yield everything that changes with new readings but the lines of the charts."""
    detail = scene.detail
    asset_class, names = detail.asset_class, detail.asset_class.titles
    live, alarms = scene.plant.live(detail.asset.asset_id), scene.plant.alarms_of(detail.asset.asset_id)
    latest, health = live.latest, live.health
    state = condition(live, alarms, scene.now)
    age = live.age(scene.now)
    status = (state, date_time(latest.ts if latest else None, scene.tz), _age_text(age), twin_status(detail, latest))
    yield Region(id="asset-status", key=status, build=lambda: _status(*status))
    reason = verdict(latest, asset_class, _since(alarms, scene))
    yield Region(id="asset-verdict", key=reason, build=lambda: _verdict(reason))
    for tag in shown_tags(scene.view, asset_class):
        words = readout(latest, tag, asset_class.units[tag])
        yield Region(
            id={"type": READOUT, "key": tag}, key=(words, state == "stale"), build=partial(readout_words, *words)
        )
    scores = (latest.score, latest.deviation, latest.p_value) if latest else (None, None, None)
    yield Region(id={"type": READOUT, "key": "anomaly"}, key=scores, build=lambda: score_words(*scores))
    yield Region(id="asset-health", key=health, build=lambda: health_panel(health, names))
    life = None if health is None else health.rul
    yield Region(id="asset-life", key=life, build=lambda: life_panel(life, asset_class, names))
    ahead = None if health is None else health.forecasts
    due = tuple(is_due(item, scene.now) for item in ahead or ())
    yield Region(id="asset-forecast", key=(ahead, due), build=lambda: forecast_panel(ahead, names, scene.now, scene.tz))
    shares = contributions(latest, names)
    yield Region(id="asset-contributions", key=shares, build=lambda: contributions_panel(shares))
    fleet = detail.fleet
    yield Region(id=FLEET_ID, key=fleet, build=lambda: fleet_note(fleet, names, scene.tz))
    report = None if health is None else detail.economics
    yield Region(id="asset-economics", key=report, build=lambda: economics_panel(report))
    rows = tuple(alarm_row(alarm, scene.plant, scene.now, scene.tz) for alarm in sorted(alarms, key=rank))
    yield Region(id="asset-alarms", key=rows, build=lambda: _alarms(rows, scene))
    quality = None if latest is None else (tuple(sorted(latest.quality.items())), latest.findings)
    yield Region(id="asset-quality", key=quality, build=lambda: quality_panel(quality, names))


def render(scene: AssetScene) -> Node:
    """Draw the whole page."""
    detail = scene.detail
    drawn = draw(regions(scene))
    return [
        _head(scene, detail, drawn),
        html.Div(drawn["asset-verdict"], id="asset-verdict", role="status"),
        controls(scene, detail.asset_class, scene.window),
        html.Div([_wide_column(scene, drawn), _narrow_column(scene, drawn)], className="asset-grid"),
    ]


def _wide_column(scene: AssetScene, drawn: dict[str, Node]) -> html.Div:
    lines = legends(("value", "measured"), ("expected", "expected"), ("band", "90 % of healthy readings"))
    return html.Div(
        [
            panel("Open alarms", drawn["asset-alarms"], "asset-alarms"),
            anomaly_card(scene, drawn),
            html.Div([html.H2("Measured and expected"), lines], className="section-title"),
            trend_cards(scene, scene.detail.asset_class, drawn),
        ],
        className="asset-main",
    )


def _narrow_column(scene: AssetScene, drawn: dict[str, Node]) -> html.Div:
    detail = scene.detail
    remove = html.Button("Remove asset …", id=removing.OPEN_ID, className="button", n_clicks=0)
    fleet = html.Div(drawn[FLEET_ID], id=FLEET_ID)  # comes and goes with the readings
    return html.Div(
        [
            panel("Health", drawn["asset-health"], "asset-health"),
            panel("Remaining useful life", drawn["asset-life"], "asset-life"),
            panel("Forecast", drawn["asset-forecast"], "asset-forecast"),
            panel("What contributes", drawn["asset-contributions"], "asset-contributions"),
            panel("Economics", drawn["asset-economics"], "asset-economics"),
            panel("Digital twin", [fleet, *twin_panel(detail, detail.asset_class.titles, scene.tz)]),
            panel("Data quality", drawn["asset-quality"], "asset-quality"),
            panel("Nameplate", [html.Div(nameplate(detail)), html.Div(remove, className="twin-buttons")]),
        ],
        className="asset-side",
    )


def _since(alarms: Iterable[Alarm], scene: AssetScene) -> str:
    """Return when the anomaly began, if an open alarm says so."""
    raised = [alarm.raised_at for alarm in alarms if alarm.source == "anomaly"]
    return clock_time(min(raised), scene.tz, scene.now) if raised else ""


def _age_text(age: timedelta | None) -> str:
    return "" if age is None else f"{duration(age.total_seconds())} ago"


def _head(scene: AssetScene, detail: AssetProfile, drawn: dict[str, Node]) -> html.Header:
    asset = detail.asset
    return html.Header(
        [
            html.P(
                [dcc.Link("Overview", href=scene.view.to(OverviewView)), f" / {area(asset)}"],
                className="breadcrumb",
            ),
            html.Div(
                [
                    html.H1(asset.name),
                    html.Span(asset.asset_id, className="tile-id"),
                    html.Span(detail.asset_class.title, className="note"),
                ],
                className="asset-title",
            ),
            html.Div(drawn["asset-status"], id="asset-status", className="asset-status"),
        ]
    )


def _status(state: Condition, at: str, age: str, twin: str) -> Node:
    return [
        condition_badge(state),
        html.Span([html.Span("Last reading ", className="note"), at, html.Span(f" {age}", className="note")]),
        html.Span(twin, className="note"),
    ]


def _verdict(reason: str) -> Node:
    return html.P([html.Span(className="mark mark-attention", **aria(hidden="true")), reason]) if reason else None


def _alarms(rows: tuple[AlarmRow, ...], scene: AssetScene) -> Node:
    if not rows:
        return html.P("No open alarms.", className="note")
    return alarm_table(rows, scene.view, "Open alarms of this asset", with_asset=False)


def _controls() -> list[Component]:
    buttons = (APPLY_ID, whatif.OPEN_ID, retraining.OPEN_ID, removing.OPEN_ID)
    return [*(dmc.DateTimePicker(id=name) for name in (FROM_ID, TO_ID)), *(html.Button(id=name) for name in buttons)]


def _register(app: Dash, dependencies: Dependencies) -> None:
    trends = {"type": TREND, "key": ALL}
    run_in_browser(
        app,
        "extend",
        Output(trends, "figure"),
        Input("frame", "data"),
        State(trends, "figure"),
        State(trends, "id"),
        State("view", "data"),
    )
    run_in_browser(
        app,
        "range",
        Output("url", "search", allow_duplicate=True),
        Input(APPLY_ID, "n_clicks"),
        State(FROM_ID, "value"),
        State(TO_ID, "value"),
        State("url", "search"),
    )
    for part in (whatif, retraining, removing):
        part.register(app, dependencies)
    server: FastAPI = app.server
    add_download(server, dependencies.api, dependencies.clock)


ASSET: Final = PageSpec(
    title="Asset",
    view=AssetView,
    load=load,
    open=load_history,
    regions=regions,
    render=render,
    follow=follow,
    parent="Overview",
    stores=("frame", whatif.STORE),
    dialogs=lambda: (whatif.dialog(), retraining.dialog(), removing.dialog()),
    controls=_controls,
    register=_register,
)
