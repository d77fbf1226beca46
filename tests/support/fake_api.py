"""A small real API process for tests of user interfaces: same routes and bodies as ``forewarn_api``, no broker.

``python -m support.fake_api PORT`` serves three pumps that send a reading every 0.5 s.
What a test needs to happen, it posts to ``/control``.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import uvicorn
from fastapi import FastAPI, HTTPException, Query, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.websockets import WebSocketDisconnect

from forewarn.contracts.answers.alarms import AcknowledgeRequest, AlarmList
from forewarn.contracts.answers.assets import AssetDetail, AssetList, HistoryAnswer
from forewarn.contracts.assets import Asset
from forewarn.contracts.economics import EconomicReport
from forewarn.contracts.health import ModelArtefact
from forewarn.domain.economics.report import economic_report
from forewarn_api.live_push import MOST_ASSETS
from support.fake_fleet import add_overview
from support.fake_plant import Control, Plant
from support.fake_twin import add_twin

PERIOD_S = 0.5


def make_app() -> FastAPI:
    """The fake API."""
    plant, app = Plant(), FastAPI()

    def known(asset_id: str) -> Asset:
        if asset_id not in plant.assets:
            raise HTTPException(404, f"There is no asset {asset_id!r}.")
        return plant.assets[asset_id]

    add_control(app, plant)
    add_assets(app, plant, known)
    add_overview(app, plant)
    add_history(app, plant, known)
    add_alarms(app, plant)
    add_twin(app, plant, known)
    add_live(app, plant)
    return app


def add_control(app: FastAPI, plant: Plant) -> None:
    """What only tests call: change the plant, ask what arrived."""

    @app.post("/control")
    async def control(body: Control) -> None:
        plant.apply(body)

    @app.get("/control/acknowledged")
    async def acknowledged() -> list[dict[str, str]]:
        return plant.acknowledged

    @app.get("/control/removed")
    async def removed() -> list[dict[str, str]]:
        return plant.removed

    @app.get("/control/ordered")
    async def ordered() -> list[dict[str, str]]:
        return plant.ordered


def add_assets(app: FastAPI, plant: Plant, known: Callable[[str], Asset]) -> None:
    """List, detail and economics of machines."""

    @app.get("/api/v1/assets")
    async def assets() -> AssetList:
        return AssetList(items=list(plant.assets.values()))

    @app.get("/api/v1/assets/{asset_id}")
    async def detail(asset_id: str) -> AssetDetail:
        asset = known(asset_id)
        asset_class = plant.classes[asset.asset_class]
        now = datetime.now(UTC)
        model = ModelArtefact(
            asset_id=asset_id,
            kind="twin",
            version=1,
            method="ridge",
            trained_from=now - timedelta(days=1),
            trained_to=now,
            rows=300,
            r2=dict.fromkeys(asset_class.twin.responses, 0.93),
        )
        return AssetDetail(asset=asset, asset_class=asset_class, models=[] if asset_id in plant.learning else [model])

    @app.delete("/api/v1/assets/{asset_id}", status_code=202)
    async def remove(asset_id: str, history: str = "keep", by: str = "") -> None:
        known(asset_id)
        del plant.assets[asset_id]
        plant.removed.append({"asset_id": asset_id, "history": history, "by": by})

    @app.get("/api/v1/assets/{asset_id}/economics")
    async def economics(asset_id: str) -> EconomicReport:
        asset, now = known(asset_id), datetime.now(UTC)
        return economic_report(
            asset,
            plant.classes[asset.asset_class],
            now=now,
            period_days=30,
            health=plant.health(asset_id, now),
            course=(),
            power=None,
        )


def add_history(app: FastAPI, plant: Plant, known: Callable[[str], Asset]) -> None:
    """History as JSON and as CSV."""

    @app.get("/api/v1/assets/{asset_id}/history", response_model=None)
    async def history(
        asset_id: str,
        start: Annotated[datetime, Query(alias="from")],
        end: Annotated[datetime, Query(alias="to")],
        columns: str = "",
        max_points: int = 2000,
        format: str = "json",  # noqa: A002  # the real API's name
    ) -> HistoryAnswer | PlainTextResponse:
        known(asset_id)
        names = tuple(name for name in columns.split(",") if name)
        found = plant.history(asset_id, start, min(end, datetime.now(UTC)), names, max_points)
        if format == "csv":
            rows = (f"{at.isoformat()},{score}" for at, score in zip(found.ts, found.score, strict=True))
            return PlainTextResponse("\n".join(["ts,score", *rows]), media_type="text/csv")
        return found


def add_alarms(app: FastAPI, plant: Plant) -> None:
    """Closed alarms by pages of one, and acknowledging open ones."""

    @app.get("/api/v1/alarms")
    async def alarms(state: str, priority: str = "", asset: str = "", cursor: str = "") -> AlarmList:
        assert state == "closed"  # open ones come with the live feed
        chosen = [
            item for item in plant.past if priority in ("", item.alarm.priority) and asset in ("", item.alarm.asset_id)
        ]
        if cursor:
            return AlarmList(items=chosen[1:], next_cursor=None)
        return AlarmList(items=chosen[:1], next_cursor="c2")

    @app.post("/api/v1/alarms/{asset_id}/{rule}/acknowledge", status_code=202, response_model=None)
    async def acknowledge(asset_id: str, rule: str, body: AcknowledgeRequest) -> JSONResponse | dict[str, str]:
        alarm = plant.alarms.get(f"{asset_id}/{rule}")
        if alarm is None:
            raise HTTPException(404, "The alarm is not open.")
        if alarm.occurrence_id != body.occurrence_id:
            detail = "The alarm occurred again since it was looked at."
            return JSONResponse({"title": "Conflict", "status": 409, "detail": detail}, 409)
        plant.acknowledged.append({"by": body.by, "comment": body.comment, "occurrence_id": body.occurrence_id})
        seen = {"acknowledged": True, "acknowledged_at": datetime.now(UTC), "acknowledged_by": body.by}
        plant.alarms[alarm.alarm_id] = alarm.model_copy(update=seen | {"comment": body.comment})
        return {"command_id": "c1"}


def add_live(app: FastAPI, plant: Plant) -> None:
    """Live push: a snapshot, then an update each period."""

    @app.websocket("/api/v1/live")
    async def live(
        socket: WebSocket, asset: Annotated[list[str] | None, Query()] = None, only: str | None = None
    ) -> None:
        await socket.accept()
        chosen = frozenset() if only else asset and frozenset(asset)
        try:
            await socket.send_text(plant.message("snapshot", datetime.now(UTC), chosen))
            while True:
                await asyncio.sleep(PERIOD_S)
                if chosen is None and len(plant.assets) > MOST_ASSETS:
                    await socket.close(1008, "too many assets to follow")
                    return
                await socket.send_text(plant.message("update", datetime.now(UTC), chosen))
        except WebSocketDisconnect:
            return


if __name__ == "__main__":
    uvicorn.run(make_app(), port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=1)
