"""Reads the API's JSON into the dashboard's values. Unknown fields are ignored, missing ones are not excused."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import UtcDatetime
from forewarn.contracts.frames import Hint, Phase, expected_column
from forewarn.contracts.health import AssetHealth, Condition, HealthCategory, ModelArtefact
from forewarn_dashboard.client import FleetPage, FleetRow, History, LiveUpdate, Snapshot, interval_columns

HINTS: Final = {"none": Hint.NONE, "asset_fault": Hint.ASSET_FAULT, "sensor_fault": Hint.SENSOR_FAULT}
PHASES: Final = {"baseline": Phase.BASELINE, "live": Phase.LIVE}

#: A judgement that trails its reading by more no longer speaks of the machine's present.
JUDGEMENT_KEEPS: Final = timedelta(seconds=10)

Values = dict[str, float | None]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class JudgementBody(_Body):
    """What twin and anomaly stage say of one reading."""

    ts: UtcDatetime
    values: Values
    expected: Values
    expected_low: dict[str, float] = {}
    expected_high: dict[str, float] = {}
    residual: Values
    contribution: Values
    deviation: float | None
    phase: Literal["baseline", "live"]
    model_version: int
    score: float | None
    p_value: float | None
    flag: bool
    culprit: str | None
    hint: Literal["none", "asset_fault", "sensor_fault"]


class ReadingBody(_Body):
    """Newest reading of an asset."""

    asset_id: str
    ts: UtcDatetime
    findings: str | None
    values: Values
    quality: dict[str, int]
    judgement: JudgementBody | None


class LiveBody(_Body):
    """One message of the live feed."""

    type: Literal["snapshot", "update"]
    readings: tuple[ReadingBody, ...] = ()
    health: tuple[AssetHealth, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    closed_alarms: tuple[str, ...] = ()
    removed_assets: tuple[str, ...] = ()


class AssetListBody(_Body):
    """A page of the registry."""

    items: tuple[Asset, ...]
    next_cursor: str | None = None


class WorstAlarmBody(_Body):
    """The open alarm of an asset that wants a response first."""

    priority: Priority
    message: str


class AssetRowBody(_Body):
    """One asset in short."""

    asset_id: str
    name: str
    asset_class: str
    path: tuple[str, ...]
    condition: Condition
    ts: UtcDatetime | None
    health: float | None
    category: HealthCategory | None
    trend: str
    alarm: WorstAlarmBody | None
    alarms: int


class CountsBody(_Body):
    """Counts over the whole plant."""

    assets: int
    conditions: dict[Condition, int]
    priorities: dict[Priority, int]
    unacknowledged: int


class OverviewBody(_Body):
    """A page of assets in short."""

    counts: CountsBody
    found: int
    items: tuple[AssetRowBody, ...]


class AssetDetailBody(_Body):
    """An asset with its class and models."""

    asset: Asset
    asset_class: AssetClass
    models: tuple[ModelArtefact, ...] = ()


class HistoryColumnBody(_Body):
    """One column over time."""

    values: tuple[float | None, ...]
    expected: tuple[float | None, ...] = ()
    expected_low: tuple[float | None, ...] = ()
    expected_high: tuple[float | None, ...] = ()


class HistoryBody(_Body):
    """An asset's past."""

    resolution: str
    ts: tuple[UtcDatetime, ...]
    columns: dict[str, HistoryColumnBody]
    score: tuple[float | None, ...]
    deviation: tuple[float | None, ...]
    flag: tuple[bool | None, ...]


class AlarmItemBody(_Body):
    """An alarm as it stands."""

    alarm: Alarm
    closed_at: UtcDatetime | None = None


class AlarmListBody(_Body):
    """A page of alarms."""

    items: tuple[AlarmItemBody, ...]
    next_cursor: str | None = None


class ProblemBody(_Body):
    """An error as RFC 9457 has it."""

    title: str = ""
    detail: str = ""
    instance: Annotated[str, Field(max_length=300)] = ""


LIVE: Final = TypeAdapter(LiveBody)


def fleet_page(body: OverviewBody) -> FleetPage:
    """A page of assets in short."""
    counts = body.counts
    return FleetPage(
        total=counts.assets,
        found=body.found,
        conditions=counts.conditions,
        priorities=counts.priorities,
        unacknowledged=counts.unacknowledged,
        rows=tuple(
            FleetRow(
                **row.model_dump(exclude={"alarm", "alarms"}),
                priority=None if row.alarm is None else row.alarm.priority,
                alarm_text="" if row.alarm is None else row.alarm.message,
                alarm_count=row.alarms,
            )
            for row in body.items
        ),
    )


def live_update(text: str | bytes) -> LiveUpdate:
    """One message of the live feed."""
    body = LIVE.validate_json(text)
    return LiveUpdate(
        readings=tuple(snapshot(reading) for reading in body.readings),
        health=body.health,
        alarms=body.alarms,
        closed_alarms=body.closed_alarms,
        removed_assets=body.removed_assets,
        complete=body.type == "snapshot",
    )


def snapshot(reading: ReadingBody) -> Snapshot:
    """Reading and judgement that belong together.

    The judgement arrives a moment after its reading. While it is fresh, the judged reading's own values
    stand beside what was expected of them; once it lags, only the bare reading is shown.
    """
    judged = reading.judgement
    bare = Snapshot(
        asset_id=reading.asset_id,
        ts=reading.ts,
        values=reading.values,
        quality=reading.quality,
        findings=reading.findings,
    )
    if judged is None or reading.ts - judged.ts > JUDGEMENT_KEEPS:
        return bare
    return Snapshot(
        asset_id=reading.asset_id,
        ts=judged.ts,
        values=judged.values or reading.values,
        expected=judged.expected,
        expected_low=judged.expected_low,
        expected_high=judged.expected_high,
        residual=judged.residual,
        contribution=judged.contribution,
        quality=reading.quality,
        deviation=judged.deviation,
        score=judged.score,
        p_value=judged.p_value,
        flag=judged.flag,
        culprit=judged.culprit,
        hint=HINTS[judged.hint],
        phase=PHASES[judged.phase],
        model_version=judged.model_version,
        findings=reading.findings,
    )


def history(body: HistoryBody) -> History:
    """History with the expected values and their intervals as columns of their own."""
    columns: dict[str, tuple[float | None, ...]] = {}
    for name, column in body.columns.items():
        columns[name] = column.values
        low, high = interval_columns(name)
        further = {expected_column(name): column.expected, low: column.expected_low, high: column.expected_high}
        columns |= {key: values for key, values in further.items() if values}
    columns |= {"score": body.score, "deviation": body.deviation, "flag": tuple(_as_number(f) for f in body.flag)}
    return History(times=body.ts, columns=_of_length(columns, len(body.ts)), resolution=body.resolution)


def _as_number(flag: bool | None) -> float | None:  # noqa: FBT001  # a column's value
    return None if flag is None else float(flag)


def _of_length(columns: Mapping[str, tuple[float | None, ...]], rows: int) -> dict[str, tuple[float | None, ...]]:
    return {name: values for name, values in columns.items() if len(values) == rows}
