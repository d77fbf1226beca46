"""Converts an event to rows: names of statements in ``store.sql`` with their parameters."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from forewarn.contracts.alarms import Alert, Transition
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import Contract, format_utc
from forewarn.contracts.health import AssetHealth, ModelArtefact
from forewarn.contracts.readings import RejectedReading
from forewarn.contracts.removal import AssetRemoval
from forewarn.ports.store import Tombstone

Parameters = dict[str, Any]
Row = tuple[str, Parameters]

#: PostgreSQL's text cannot hold NUL; a message refused for it must still be stored.
_NUL_SHOWN: Final = "\N{SYMBOL FOR NULL}"

_DIGEST_CHARACTERS: Final = 12

#: A removal keeps what is known of the asset: its history stays readable.
_NOTHING_NEW: Final = dict.fromkeys(("asset_class", "name", "path", "criticality", "document"))


def rows_of_event(event: Contract | Tombstone, asset_keys: Mapping[str, int]) -> list[Row]:
    """Return the rows of one event, in the order they must be written.

    Raises
    ------
    TypeError
        For an event that no table takes.
    """
    if isinstance(event, Tombstone):
        return [("asset", {**_NOTHING_NEW, "asset_id": event.key, "removed_at": event.at})]
    if isinstance(event, AssetRemoval):
        return [("begin_purge", event.model_dump(include={"removal_id", "asset_id", "asset_class", "removed_at"}))]
    if isinstance(event, AssetHealth):
        return [("asset_health", _health(event, asset_keys[event.asset_id]))]
    rows = _ROWS.get(type(event))
    if rows is None:
        raise TypeError(f"no table takes a {type(event).__name__}")
    return list(rows(event))


def _asset(asset: Asset) -> Iterator[Row]:
    columns = asset.model_dump(include={"asset_id", "asset_class", "name", "criticality"})
    yield "asset", {**columns, "path": list(asset.path), "document": asset.model_dump_json(), "removed_at": None}


def _health(event: AssetHealth, asset_key: int) -> Parameters:
    names = {"ts", "health", "trend_per_day", "anomaly_score", "deviation", "anomaly_flag", "trend", "primary_concern"}
    shortest = min(event.rul, key=lambda rul: rul.p50_days, default=None)
    return {
        **event.model_dump(include=names),
        "asset_key": asset_key,
        "category": event.category.value if event.category else None,
        "rul_p10_days": shortest and shortest.p10_days,
        "rul_p50_days": shortest and shortest.p50_days,
        "rul_p90_days": shortest and shortest.p90_days,
        "rul_failure_mode": shortest and shortest.failure_mode,
        "document": event.model_dump_json(),
    }


def _alert(alert: Alert) -> Iterator[Row]:
    alarm = alert.alarm
    yield (
        "alarm_event",
        {
            **alarm.model_dump(include={"alarm_id", "asset_id", "rule", "occurrence_id", "raised_at", "message"}),
            "alert_id": alert.alert_id,
            "at": alert.at,
            "by": alert.by,
            "transition": alert.transition.value,
            "priority": alarm.priority.value,
            "state": alarm.state.value,
            "closed_at": alert.at if alert.transition is Transition.CLOSED else None,
            "document": alert.model_dump_json(),
            "alarm": alarm.model_dump_json(),
        },
    )


def _rejected(event: RejectedReading) -> Iterator[Row]:
    values = event.model_dump(exclude={"key", "original", "readings"})
    texts = {name: _without_nul(value) for name, value in values.items() if isinstance(value, str)}
    yield "rejected", {**values, **texts, "key": event.key, "original": event.original, "other": _digest(event)}


def _digest(event: RejectedReading) -> str:
    """Return a digest that distinguishes messages with the same id."""
    parts = (format_utc(event.rejected_at).encode(), event.key or b"", event.original)
    return f"~{hashlib.sha256(b'/'.join(parts)).hexdigest()[:_DIGEST_CHARACTERS]}"


def _model(event: ModelArtefact) -> Iterator[Row]:
    names = {"asset_id", "kind", "version", "method", "trained_from", "trained_to", "rows"}
    yield "model", {**event.model_dump(include=names), "document": event.model_dump_json()}


def _without_nul(text: str) -> str:
    return str(text).replace("\0", _NUL_SHOWN)


_ROWS: Final[Mapping[type[Contract], Callable[[Any], Iterator[Row]]]] = {
    Asset: _asset,
    Alert: _alert,
    RejectedReading: _rejected,
    ModelArtefact: _model,
}
