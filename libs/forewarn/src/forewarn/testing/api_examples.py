"""Examples of the API's data: one of each kind, changed by keyword."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import encode_frame
from forewarn.adapters.frames.rows import FrameRows
from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.frames import FrameKind, JudgementSummary, frame_columns
from forewarn.contracts.health import AssetHealth, HealthCategory, ModelArtefact
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.domain.frames.frame import NUMPY_DTYPES, Frame, Strings
from forewarn.ports.history import History, Latest, RefusedMessage, RollUp, Series

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
CATALOGUE = load_catalogue()
PUMP_CLASS = CATALOGUE["centrifugal_pump"]
PUMP = Asset(asset_id="P-101", asset_class="centrifugal_pump", name="Feed pump", path=("works", "hall-1"))
OTHER_PUMP = Asset(asset_id="P-102", asset_class="centrifugal_pump", name="Spare pump")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def frame(
    kind: FrameKind, assets: Sequence[str], ts: datetime, *, asset_class: AssetClass = PUMP_CLASS, **columns: Any
) -> Frame:
    """Build a frame with one row per asset; columns are zero unless given (a value for all rows, or one each)."""
    rows = len(assets)
    arrays, strings = {}, {}
    for column in frame_columns(kind, asset_class):
        given = columns.get(column.name)
        values = given if isinstance(given, list) else [given] * rows
        if column.name == "asset_id":
            strings[column.name] = Strings.of(list(assets))
        elif column.dtype == "string":
            strings[column.name] = Strings.of(values)
        else:
            default = microseconds(ts) if column.dtype == "timestamp_us" else 0
            plain = [default if value is None else value for value in values]
            arrays[column.name] = np.array(plain, dtype=NUMPY_DTYPES[column.dtype])
    return Frame(kind=kind, asset_class=asset_class, arrays=arrays, strings=strings)


def valid_rows(assets: Sequence[str], ts: datetime, **columns: Any) -> FrameRows:
    return FrameRows.read(encode_frame(frame(FrameKind.VALID, assets, ts, **columns)), CATALOGUE, FrameKind.VALID)


def judged_rows(assets: Sequence[str], ts: datetime, **columns: Any) -> FrameRows:
    return FrameRows.read(encode_frame(frame(FrameKind.ANOMALY, assets, ts, **columns)), CATALOGUE, FrameKind.ANOMALY)


def alarm(asset_id: str = "P-101", rule: str = "vibration_high", **changes: object) -> Alarm:
    values = {
        "alarm_id": f"{asset_id}/{rule}",
        "occurrence_id": "o-1",
        "asset_id": asset_id,
        "rule": rule,
        "source": "threshold",
        "priority": Priority.MEDIUM,
        "active": True,
        "acknowledged": False,
        "raised_at": NOW,
        "last_active_at": NOW,
        "value": 5.1,
        "limit": 4.5,
        "unit": "mm/s",
        "message": "Vibration high",
        "action": "Reduce load",
    }
    return Alarm.model_validate({**values, **changes})


def health(asset_id: str = "P-101", ts: datetime = NOW, score: float = 88.0) -> AssetHealth:
    return AssetHealth(
        asset_id=asset_id,
        asset_class="centrifugal_pump",
        ts=ts,
        health=score,
        category=HealthCategory.GOOD,
        trend="stable",
        trend_per_day=-0.1,
        metrics=(),
        anomaly_score=12.0,
        anomaly_flag=False,
        deviation=8.0,
    )


def model_card(asset_id: str = "P-101", version: int = 1) -> ModelArtefact:
    return ModelArtefact(
        asset_id=asset_id,
        kind="twin",
        version=version,
        method="ridge",
        trained_from=NOW - timedelta(hours=1),
        trained_to=NOW,
        rows=300,
        r2={"power_kw": 0.98},
    )


def rejected(rejected_id: str = "readings.raw/3/17", **changes: object) -> RejectedReading:
    values = {
        "rejected_id": rejected_id,
        "topic": "readings.raw",
        "partition": 3,
        "offset": 17,
        "reason": RejectionReason.NOT_FINITE,
        "explanation": "metrics.flow_m3_h is not a finite number",
        "recommendation": "Leave the tag out",
        "asset_id": "P-101",
        "rejected_at": NOW,
        "key": b"P-101",
        "original": b'{"asset_id":"P-101"}',
    }
    return RejectedReading.model_validate({**values, **changes})


def in_short(item: RejectedReading) -> RefusedMessage:
    """Return a refused message as in lists."""
    shown = {"rejected_id", "topic", "reason", "rule", "explanation", "recommendation", "asset_id", "rejected_at"}
    return RefusedMessage(
        **item.model_dump(include=shown), size_bytes=len(item.original), beginning=item.original[:2_048]
    )


def stretch(asset_id: str = "P-101", values: Sequence[float | None] = (1.5, None, -3.0)) -> History:
    size = len(values)
    return History(
        asset_id=asset_id,
        asset_class="centrifugal_pump",
        roll_up=RollUp.RAW,
        ts=tuple(NOW + timedelta(seconds=i) for i in range(size)),
        count=(1,) * size,
        series=(
            Series(
                column="flow_m3_h",
                unit="m3/h",
                values=tuple(values),
                expected=(1.0,) * size,
                quality=(0,) * size,
            ),
        ),
        score=(None,) * size,
        deviation=(3.5,) * size,
        flag=(False,) * size,
        next_start=None,
    )


def latest(asset_id: str = "P-101", ts: datetime = NOW) -> Latest:
    return Latest(
        asset_id=asset_id,
        asset_class="centrifugal_pump",
        ts=ts,
        received_at=ts,
        values={"flow_m3_h": 77.0},
        quality={"flow_m3_h": 0},
        findings=None,
        judged_at=ts,
        expected={"power_kw": 20.0},
        residual={"power_kw": 0.5},
        judgement=JudgementSummary(
            deviation=4.0,
            phase="live",
            regime=0,
            model_version=2,
            score=9.0,
            p_value=0.4,
            flag=False,
            culprit=None,
            hint="none",
        ),
    )
