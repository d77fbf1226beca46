"""The plant of the fake API: its machines, what they measure, and what a test makes of them."""

import math

from pydantic import BaseModel

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.alarms import Alarm
from forewarn.contracts.answers.alarms import AlarmItem
from forewarn.contracts.answers.assets import HistoryAnswer, HistoryColumn, Judgement, LiveReading
from forewarn.contracts.assets import Asset
from forewarn.contracts.forecasts import LimitForecast
from forewarn.contracts.health import AssetHealth, FailureRisk, HealthCategory, HealthMetric, RulEstimate
from forewarn.domain.health.components import components_of, prognosis_of
from forewarn.domain.health.profile import class_profile

LEVELS = {
    "flow_m3_h": 182.0,
    "suction_pressure_bar": 1.4,
    "discharge_pressure_bar": 6.1,
    "speed_rpm": 1480.0,
    "power_kw": 38.4,
    "motor_current_a": 66.0,
    "vibration_mm_s": 2.1,
    "bearing_temp_c": 58.0,
    "fluid_temp_c": 21.0,
    "ambient_temp_c": 19.0,
    "head_m": 48.0,
    "hydraulic_power_kw": 23.8,
    "wire_to_water_efficiency_pct": 62.0,
}
DEMO = (
    Asset(asset_id="P-101", asset_class="centrifugal_pump", name="Feed pump A", path=("acme", "north", "boiler-house")),
    Asset(asset_id="P-102", asset_class="centrifugal_pump", name="Feed pump B", path=("acme", "north", "boiler-house")),
    Asset(asset_id="P-201", asset_class="centrifugal_pump", name="Cooling pump", path=("acme", "north", "cooling")),
)
LIFE = RulEstimate(
    failure_mode="bearing_wear",
    p10_days=21,
    p50_days=34,
    p90_days=58,
    indicator="vibration_mm_s",
    threshold=7.1,
    model="exponential v1",
    risk=FailureRisk(within_7_days=0.01, within_30_days=0.35, within_90_days=0.99),
)


class Control(BaseModel):
    """What a test changes."""

    reset: bool = False
    assets: list[Asset] | None = None
    alarms: list[Alarm] | None = None
    silent: list[str] | None = None
    faulty: list[str] | None = None
    learning: list[str] | None = None
    past: list[AlarmItem] | None = None
    many: int | None = None


class Plant:
    """State of the fake plant."""

    def __init__(self):
        self.classes = load_catalogue()
        self.closed = []
        self.reset()

    def reset(self):
        self.assets = {asset.asset_id: asset for asset in DEMO}
        self.closed += getattr(self, "alarms", {})
        self.alarms = {}
        self.silent = set()
        self.faulty = set()
        self.learning = set()
        self.past = []
        self.acknowledged = []
        self.ordered = []
        self.removed = []
        self.levels = LEVELS

    def apply(self, control: Control):
        if control.reset:
            self.reset()
        if control.assets is not None:
            self.assets = {asset.asset_id: asset for asset in control.assets}
        if control.many is not None:
            self.assets = {asset.asset_id: asset for asset in many_assets(control.many)}
        if control.alarms is not None:
            wanted = {alarm.alarm_id: alarm for alarm in control.alarms}
            self.closed += [alarm_id for alarm_id in self.alarms if alarm_id not in wanted]
            self.alarms = wanted
        self.past = self.past if control.past is None else control.past
        for name in ("silent", "faulty", "learning"):
            value = getattr(control, name)
            if value is not None:
                setattr(self, name, set(value))

    def value(self, asset_id, tag, at):
        level = LEVELS.get(tag, 10.0)
        phase = sum(map(ord, tag + asset_id))
        swing = 0.02 * math.sin(at.timestamp() / 47 + phase) + 0.004 * math.sin(at.timestamp() * 3 + phase)
        return level * (1 + swing)

    def expected(self, asset_id, tag, at):
        level = LEVELS.get(tag, 10.0)
        return level * (1 + 0.02 * math.sin(at.timestamp() / 47 + sum(map(ord, tag + asset_id))))

    def measured(self, asset_id, tag, at):
        value = self.value(asset_id, tag, at)
        return value * 1.6 if asset_id in self.faulty and tag == "vibration_mm_s" else value

    def reading(self, asset_id, at):
        asset_class = self.classes[self.assets[asset_id].asset_class]
        values = {name: self.measured(asset_id, name, at) for name in asset_class.column_names}
        faulty = asset_id in self.faulty
        responses = asset_class.twin.responses
        expected = {name: self.expected(asset_id, name, at) for name in responses}
        judgement = Judgement(
            ts=at,
            values=values,
            expected=expected,
            expected_low={name: value - 0.01 * LEVELS.get(name, 10.0) for name, value in expected.items()},
            expected_high={name: value + 0.01 * LEVELS.get(name, 10.0) for name, value in expected.items()},
            residual={name: (values[name] - expected[name]) / (0.006 * LEVELS.get(name, 10.0)) for name in responses},
            contribution={name: 0.6 if name == "vibration_mm_s" else 0.1 for name in responses},
            deviation=80 if faulty else 12,
            phase="live",
            regime=0,
            model_version=1,
            score=91 if faulty else 8 + 4 * math.sin(at.timestamp() / 9),
            p_value=0.001 if faulty else 0.4,
            flag=faulty,
            culprit="vibration_mm_s" if faulty else None,
            hint="asset_fault" if faulty else "none",
        )
        return LiveReading(
            asset_id=asset_id,
            asset_class=asset_class.name,
            ts=at,
            received_at=at,
            findings=None,
            values=values,
            quality={tag.name: 0 for tag in asset_class.tags},
            judgement=None if asset_id in self.learning else judgement,
        )

    def health(self, asset_id, at):
        faulty, asset = asset_id in self.faulty, self.assets[asset_id]
        deviation, score = (80, 91) if faulty else (12, 8)
        _, components = components_of(
            class_profile(self.classes[asset.asset_class]),
            deviation=deviation,
            anomaly_score=score,
            prognosis=prognosis_of((LIFE,) if faulty else ()),
        )
        return AssetHealth(
            asset_id=asset_id,
            asset_class=asset.asset_class,
            ts=at,
            health=41 if faulty else 94,
            category=HealthCategory.POOR if faulty else HealthCategory.EXCELLENT,
            trend="degrading" if faulty else "stable",
            trend_per_day=-2.4 if faulty else 0.0,
            condition=58 if faulty else 95,
            component_index=41 if faulty else 94,
            limited_by="components",
            metrics=self._metrics(asset_id, at),
            components=components,
            anomaly_score=score,
            anomaly_flag=faulty,
            deviation=deviation,
            rul=(LIFE,) if faulty else (),
            forecasts=(_limit_forecast(at),) if faulty else (),
            primary_concern="Vibration is above the zone for long-term operation" if faulty else None,
            recommendations=("Inspect bearings and alignment",) if faulty else (),
        )

    def _metrics(self, asset_id, at):
        asset_class = self.classes[self.assets[asset_id].asset_class]
        worn = {"vibration_mm_s"} if asset_id in self.faulty else set()
        return tuple(
            HealthMetric(
                name=item.column,
                score=38 if item.column in worn else 95,
                weight=item.weight,
                status="poor" if item.column in worn else "excellent",
                value=self.measured(asset_id, item.column, at),
                unit=asset_class.units[item.column],
                message=item.message if item.column in worn else "",
            )
            for item in asset_class.health
        )

    def history(self, asset_id, start, end, columns, max_points):
        asset_class = self.classes[self.assets[asset_id].asset_class]
        rows = 0 if asset_id in self.silent else max(min(int((end - start).total_seconds()), max_points), 0)
        step = (end - start) / max(rows, 1)
        times = tuple(start + step * (i + 1) for i in range(rows))
        judged = asset_id not in self.learning
        predicted = asset_class.twin.responses if judged else ()
        return HistoryAnswer(
            asset_id=asset_id,
            asset_class=asset_class.name,
            resolution="raw",
            ts=times,
            count=(1,) * rows,
            columns={
                name: self._course(asset_id, name, times, predicted=name in predicted)
                for name in columns or asset_class.column_names
            },
            score=tuple(8 + 4 * math.sin(at.timestamp() / 9) if judged else None for at in times),
            deviation=(12.0 if judged else None,) * rows,
            flag=(False if judged else None,) * rows,
            next_from=None,
        )

    def _course(self, asset_id, name, times, *, predicted):
        expected = tuple(self.expected(asset_id, name, at) for at in times) if predicted else ()
        reach = 0.01 * LEVELS.get(name, 10.0)
        return HistoryColumn(
            unit=self.classes[self.assets[asset_id].asset_class].units[name],
            values=tuple(self.measured(asset_id, name, at) for at in times),
            expected=expected,
            expected_low=tuple(value - reach for value in expected),
            expected_high=tuple(value + reach for value in expected),
        )

    def message(self, kind, at, chosen=None):
        heard = [a for a in self.assets if a not in self.silent and (chosen is None or a in chosen)]
        readings = ",".join(self.reading(asset_id, at).model_dump_json() for asset_id in heard)
        health = ",".join(self.health(asset_id, at).model_dump_json() for asset_id in heard)
        alarms = ",".join(alarm.model_dump_json() for alarm in self.alarms.values())
        closed = ",".join(f'"{alarm_id}"' for alarm_id in self.closed if alarm_id not in self.alarms)
        return (
            f'{{"type":"{kind}","at":"{at.isoformat()}","readings":[{readings}],"health":[{health}],'
            f'"alarms":[{alarms}],"closed_alarms":[{closed}]}}'
        )


NAMES = ("Boiler feed pump", "Kühlwasserpumpe Süd", "冷却水ポンプ", "مضخة تغذية", "Pumpă de alimentare")


def many_assets(count):
    """A large plant: names of several scripts, every hundredth far too long for a cell."""
    for n in range(count):
        name = f"{NAMES[n % len(NAMES)]} {n}" + (
            " with a name that nobody shortened in time" * 3 if n % 100 == 7 else ""
        )
        place = ("acme", f"site-{n % 5}", f"hall-{n % 40}")
        yield Asset(asset_id=f"M-{n:05}", asset_class="centrifugal_pump", name=name[:200], path=place)


def _limit_forecast(at):
    return LimitForecast(
        rule="vibration_high_ahead",
        column="vibration_mm_s",
        unit="mm/s",
        limit=4.5,
        probability=0.9,
        horizon_days=14,
        earliest_days=6,
        likely_days=8,
        latest_days=None,
        method="daily_trend",
        made_at=at.replace(minute=0, second=0, microsecond=0),
    )
