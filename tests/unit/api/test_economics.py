"""Economics and weights of health over HTTP."""

from datetime import timedelta
from itertools import pairwise

import pytest

from forewarn.contracts.assets import AssetRates
from forewarn.contracts.health import FailureRisk, RulEstimate
from forewarn.ports.history import History, RollUp, Series
from forewarn.testing.api_examples import NOW, PUMP, PUMP_CLASS, health


def near():
    return RulEstimate(
        failure_mode="bearing_wear",
        p10_days=5,
        p50_days=9,
        p90_days=15,
        indicator="vibration_mm_s",
        threshold=7.1,
        model="m/1",
        risk=FailureRisk(within_7_days=0.25, within_30_days=1, within_90_days=1),
    )


def power_by_minute(excess_kw):
    ts = tuple(NOW - timedelta(minutes=m) for m in range(60, 0, -1))
    series = Series(column="power_kw", unit="kW", values=(20.0 + excess_kw,) * 60, expected=(20.0,) * 60)
    return History(
        asset_id="P-101",
        asset_class="centrifugal_pump",
        roll_up=RollUp.MINUTE,
        ts=ts,
        count=(60,) * 60,
        series=(series,),
        score=(None,) * 60,
        deviation=(None,) * 60,
        flag=(None,) * 60,
        next_start=None,
    )


def test_a_report_joins_risk_energy_and_rates(client, platform):
    platform.live.take_health("P-101", health().model_copy(update={"rul": (near(),)}).model_dump_json().encode(), 0)
    platform.history.stretches["P-101"] = power_by_minute(3.0)
    answer = client.get("/api/v1/assets/P-101/economics", params={"days": 1})
    assert answer.status_code == 200
    report = answer.json()
    (failure,) = report["failures"]
    mode = next(m for m in PUMP_CLASS.failure_modes if m.id == "bearing_wear")
    assert failure["downtime_cost"] == mode.repair.unplanned_downtime_h * 60 * 150
    assert report["expected_failure_cost"]["within_7_days"] == pytest.approx(
        0.25 * (failure["downtime_cost"] + mode.repair.unplanned_cost)
    )
    assert report["energy"]["wasted_kwh"] == pytest.approx(3.0)
    assert report["energy"]["cost"] == pytest.approx(0.45)
    assert report["repairs"][0]["cheapest_in_days"] == 0
    assert report["assumptions"][0] == "A minute of downtime costs 150 EUR."


def test_power_is_asked_for_by_the_minute_in_pages_that_cover_the_period(client, platform):
    platform.history.stretches["P-101"] = power_by_minute(0.0)
    client.get("/api/v1/assets/P-101/economics")
    queries = platform.history.queries
    assert {(q.roll_up, q.columns) for q in queries} == {(RollUp.MINUTE, ("power_kw",))}
    assert (queries[0].start, queries[-1].end) == (NOW - timedelta(days=30), NOW)
    assert all(a.end == b.start for a, b in pairwise(queries))
    assert max((q.end - q.start) / timedelta(minutes=1) for q in queries) < 10_000


def test_an_asset_of_which_nothing_is_stored_has_a_report(client):
    report = client.get("/api/v1/assets/P-102/economics").json()
    assert (report["energy"], report["failures"], report["expected_failure_cost"]) == (None, [], None)
    assert report["savings"]["averted"] == []


@pytest.mark.parametrize("days", [0, 367, "x"])
def test_a_senseless_period_is_refused(client, days):
    assert client.get("/api/v1/assets/P-101/economics", params={"days": days}).status_code == 422


def test_weights_are_those_of_the_class_until_the_asset_has_its_own(client):
    answer = client.get("/api/v1/assets/P-101/health/weights").json()
    assert answer["effective"] == answer["of_class"]
    assert answer["of_class"]["components"] == {"twin": 0.3, "anomaly": 0.3, "rul": 0.25, "risk": 0.15}
    assert answer["own"] == {"metrics": {}, "components": {}}


def test_own_weights_go_into_the_registry_entry_and_back_out(client, platform):
    own = {"metrics": {"vibration_mm_s": 0.9}, "components": {"risk": 0.0}}
    answer = client.put("/api/v1/assets/P-101/health/weights", json=own)
    assert answer.status_code == 200
    assert answer.json()["effective"]["metrics"]["vibration_mm_s"] == 0.9
    assert answer.json()["effective"]["components"] == {"twin": 0.3, "anomaly": 0.3, "rul": 0.25, "risk": 0.0}
    [(topic, key, asset)] = platform.delivery.events
    assert (topic, key, asset.health_weights.metrics) == ("assets", "P-101", {"vibration_mm_s": 0.9})
    assert client.put("/api/v1/assets/P-101/health/weights", json={}).json()["own"]["metrics"] == {}
    assert platform.registry.get("P-101").health_weights is None


@pytest.mark.parametrize(
    ("own", "place"),
    [
        ({"metrics": {"vibration": 0.5}}, "/metrics/vibration"),
        ({"components": {"twin": 0, "anomaly": 0, "rul": 0, "risk": 0}}, "/components"),
        (
            {"metrics": {"vibration_mm_s": 0, "bearing_temp_c": 0, "wire_to_water_efficiency_pct": 0}},
            "/metrics",
        ),
        ({"components": {"twins": 0.5}}, "/components/twins"),
        ({"metrics": {"vibration_mm_s": 1.5}}, "/metrics/vibration_mm_s"),
        ({"metrics": {"vibration_mm_s": None}}, "/metrics/vibration_mm_s"),
    ],
)
def test_weights_that_make_no_sense_are_refused_where_they_stand(client, platform, own, place):
    answer = client.put("/api/v1/assets/P-101/health/weights", json=own)
    assert answer.status_code == 422
    assert any(place in (error.get("pointer") or "") for error in answer.json()["errors"]), answer.json()
    assert platform.delivery.events == []


def test_an_asset_may_be_registered_with_weights_and_rates(client, platform):
    entry = {
        "asset_id": "P-7",
        "asset_class": "centrifugal_pump",
        "name": "P",
        "health_weights": {"metrics": {"bearing_temp_c": 0.1}},
        "economics": {"downtime_cost_per_min": 12.5},
    }
    assert client.post("/api/v1/assets", json=entry).status_code == 201
    assert client.get("/api/v1/assets/P-7/economics").json()["downtime_cost_per_min"] == 12.5
    wrong = entry | {"health_weights": {"metrics": {"bearings": 0.1}}}
    refused = client.post("/api/v1/assets", json=wrong)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"].endswith("/health_weights/metrics/bearings")


def test_a_change_of_weights_that_the_broker_does_not_confirm_is_a_503(client, platform):
    platform.delivery.away = True
    assert client.put("/api/v1/assets/P-101/health/weights", json={"components": {"rul": 0}}).status_code == 503


@pytest.mark.parametrize("path", ["/economics", "/health/weights"])
def test_an_unknown_asset_has_neither(client, path):
    assert client.get(f"/api/v1/assets/P-999{path}").status_code == 404


@pytest.mark.parametrize("rate", [5e-324, 1e300])
def test_old_rates_that_cannot_be_computed_with_are_those_of_the_class(client, platform, rate):
    platform.live.take_health("P-101", health().model_copy(update={"rul": (near(),)}).model_dump_json().encode(), 0)
    platform.history.stretches["P-101"] = power_by_minute(3.0)
    of_class = client.get("/api/v1/assets/P-101/economics").json()
    own = AssetRates(downtime_cost_per_min=rate, energy_price_per_kwh=rate, monitoring_cost_per_year=rate)
    platform.registry.assets["P-101"] = PUMP.model_copy(update={"economics": own})
    assert client.get("/api/v1/assets/P-101/economics").json() == of_class
