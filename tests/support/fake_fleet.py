"""The fake API's overview: the filters, orders and counts of the real one over the fake plant."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

from fastapi import FastAPI, Query

from forewarn.contracts.alarms import Alarm, Priority
from forewarn.contracts.answers.overview import AssetRow, Counts, Overview, WorstAlarm
from forewarn.contracts.assets import Asset
from forewarn.domain.health.condition import CONDITIONS
from forewarn_api.routes.overview import OverviewQuery
from support.fake_plant import Plant


def add_overview(app: FastAPI, plant: Plant) -> None:
    """Assets in short, by pages."""

    @app.get("/api/v1/overview")
    async def overview(query: Annotated[OverviewQuery, Query()]) -> Overview:
        alarms = {alarm.asset_id: alarm for alarm in plant.alarms.values()}
        conditions = {asset_id: condition(plant, asset_id, alarms) for asset_id in plant.assets}
        found = [asset for asset in plant.assets.values() if matches(query, asset, conditions[asset.asset_id])]
        if query.sort == "attention":
            found.sort(key=lambda asset: (conditions[asset.asset_id] != "attention", asset.name))
        page = found[query.offset : query.offset + query.limit]
        states, priorities = Counter(conditions.values()), Counter(alarm.priority for alarm in plant.alarms.values())
        return Overview(
            counts=Counts(
                assets=len(plant.assets),
                conditions={name: states[name] for name in CONDITIONS},
                priorities={priority: priorities[priority] for priority in Priority},
                unacknowledged=sum(not alarm.acknowledged for alarm in plant.alarms.values()),
            ),
            found=len(found),
            items=[row(plant, asset, alarms, conditions[asset.asset_id]) for asset in page],
        )


def matches(query: OverviewQuery, asset: Asset, state: str) -> bool:
    text = " ".join((asset.asset_id, asset.name, asset.asset_class, *asset.path)).casefold()
    return (
        query.q.casefold() in text
        and (not query.condition or state in query.condition)
        and (not query.asset or asset.asset_id in query.asset)
    )


def condition(plant: Plant, asset_id: str, alarms: dict[str, Alarm]) -> str:
    if asset_id in plant.silent:
        return "silent"
    return "attention" if asset_id in plant.faulty or asset_id in alarms else "normal"


def row(plant: Plant, asset: Asset, alarms: dict[str, Alarm], state: str) -> AssetRow:
    now = datetime.now(UTC)
    silent, alarm = state == "silent", alarms.get(asset.asset_id)
    health = plant.health(asset.asset_id, now)
    return AssetRow(
        **asset.model_dump(include={"asset_id", "name", "asset_class", "path", "criticality"}),
        condition=state,
        ts=None if silent else now,
        health=None if silent else health.health,
        category=None if silent else health.category,
        trend="unknown" if silent else health.trend,
        score=None if silent else health.anomaly_score,
        flag=health.anomaly_flag,
        alarm=None if alarm is None else WorstAlarm(priority=alarm.priority, message=alarm.message),
        alarms=0 if alarm is None else 1,
    )
