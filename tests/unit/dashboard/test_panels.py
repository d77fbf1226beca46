"""What the side panels say about health and costs."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.contracts.assets import Asset
from forewarn.contracts.economics import AvertedFailure
from forewarn.contracts.health import AssetHealth, ProcessDrift
from forewarn.domain.economics.report import economic_report
from forewarn_dashboard.formatting import money
from forewarn_dashboard.pages.asset.economics_panel import economics_panel
from forewarn_dashboard.pages.asset.nameplate import field_title
from forewarn_dashboard.pages.asset.panels import health_panel, life_panel
from forewarn_dashboard.pages.asset.viewmodel import health_trend

EXAMPLE = Path(__file__).parents[3] / "schemas/examples/asset_health.v1/degrading_bearing.json"
NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


@pytest.fixture
def health():
    return AssetHealth.model_validate_json(EXAMPLE.read_bytes())


def words(node):
    """Every text of a tree of components, in order."""
    found = []

    def walk(part):
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, list | tuple):
            for child in part:
                walk(child)
        elif part is not None:
            walk(getattr(part, "children", None))

    walk(node)
    return " | ".join(found).replace("\u00a0", " ").replace("\u202f", " ")


def report_of(health, pump_class, **changes):
    asset = Asset(asset_id="P-101", asset_class="centrifugal_pump", name="Pump")
    report = economic_report(asset, pump_class, now=NOW, period_days=30, health=health, course=(), power=None)
    return report.model_copy(update=changes)


def test_health_is_told_with_both_views_and_every_part(health):
    text = words(health_panel(health, {"vibration_mm_s": "Vibration velocity (RMS)"}))
    assert "Condition 65, behaviour and outlook 31: the lower one counts." in text
    for part in ("Vibration velocity (RMS)", "Digital twin", "Anomaly detection", "Risk of failure"):
        assert part in text
    assert "its weight of 0.35 goes to the known metrics" in text


def test_health_of_an_older_writer_has_no_components_and_still_shows(health):
    old = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    for name in ("condition", "component_index", "limited_by", "components", "failure_risk"):
        del old[name]
    text = words(health_panel(AssetHealth.model_validate(old), {}))
    assert "the lower one counts" not in text
    assert "Poor" in text


def test_a_drift_of_the_process_is_told_apart_from_the_concern(health):
    drift = ProcessDrift(since=NOW, tags=("power_kw", "head_m"), explanation="It runs differently")
    assert "Process drift" not in words(health_panel(health, {}))
    text = words(health_panel(health.model_copy(update={"process_drift": drift}), {}))
    assert "Process drift, perhaps a new normal.  | It runs differently" in text


def test_remaining_life_is_told_with_the_risk(health, pump_class):
    assert "Probability of failure: 0 % in 7 d, 100 % in 30 d" in words(life_panel(health.rul, pump_class, {}))
    assert words(life_panel(None, pump_class, {})).startswith("Not known yet")


@pytest.mark.parametrize(
    ("per_day", "said"),
    [(-1.3, "degrading, −1.3 points a day"), (-1098.0, "degrading, over 100 points a day")],
)
def test_a_trend_is_told_in_a_size_that_one_can_picture(health, per_day, said):
    assert health_trend(health.model_copy(update={"trend": "degrading", "trend_per_day": per_day})) == said


def test_costs_are_told_with_their_assumptions(health, pump_class):
    text = words(economics_panel(report_of(health, pump_class)))
    assert "Expected cost of failure, 30 days | 279 000 €" in text  # 9,000 + 30 h × 60 × 150
    assert "Repair: bearing wear | 56 500 € now" in text
    assert "in 7 days is cheapest" in text
    assert "no failure averted yet" in text
    assert "A minute of downtime costs 150 EUR." in text


def test_a_quiet_machine_costs_nothing(pump_class):
    assert "none expected" in words(economics_panel(report_of(None, pump_class)))


def test_what_was_saved_is_told_with_its_return(health, pump_class):
    report = report_of(health, pump_class)
    one = AvertedFailure(
        failure_mode="bearing_wear", title="Bearing wear", until=NOW, probability=0.9, avoided_cost=9, repair_cost=4
    )
    saved = report.savings.model_copy(update={"averted": (one,), "net": 5.0, "return_on_investment": 1.25})
    text = words(economics_panel(report.model_copy(update={"savings": saved})))
    assert "5.00 € by one averted failure, return 125 %" in text, text


def test_without_a_report_nothing_is_claimed():
    assert words(economics_panel(None)) == "Not available now."


@pytest.mark.parametrize(
    ("name", "unit", "title"),
    [
        ("hot_heat_capacity_kj_kg_k", "kJ/(kg.K)", "Hot heat capacity"),
        ("rated_efficiency_pct", "%", "Rated efficiency"),
        ("rated_power_kw", "kW", "Rated power"),
        ("makeup_conductivity_us_cm", "uS/cm", "Makeup conductivity"),
        ("iso_group", "1", "ISO group"),
    ],
)
def test_a_rated_value_is_called_by_its_name_without_the_unit(name, unit, title):
    assert field_title(name, unit) == title


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        (0, "0 €"),
        (0.0006, "0 €"),
        (0.0213, "0.02 €"),
        (3.14159, "3.14 €"),
        (133_214, "133 000 €"),
        (-1234.5, "−1 230 €"),
    ],
)
def test_money_is_told_no_more_exactly_than_it_is_known(amount, text):
    assert money(amount, "EUR").replace("\u00a0", " ").replace("\u202f", " ") == text
    assert money(1000, "CHF").endswith("CHF")
