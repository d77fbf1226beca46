"""The twin's routes of the fake API: same paths and bodies as ``forewarn_api``, answers made up."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from fastapi import FastAPI

from forewarn.contracts.answers.twin import BaselineRequest, TwinAnswer
from forewarn.contracts.assets import Asset
from forewarn.contracts.questions import WhatIfAnswer, WhatIfRequest
from support.fake_plant import Plant


def add_twin(app: FastAPI, plant: Plant, known: Callable[[str], Asset]) -> None:
    """Add the routes; orders to retrain end up in ``plant.ordered``."""
    levels = plant.levels

    @app.get("/api/v1/assets/{asset_id}/twin")
    async def twin(asset_id: str) -> TwinAnswer:
        asset_class = plant.classes[known(asset_id).asset_class]
        drivers = [_driver(name, asset_class.units[name], levels[name]) for name in asset_class.twin.drivers]
        load = [{"column": name, "factor": 1.5} for name in asset_class.twin.load]
        presets = [{"name": "high_load", "title": "Load 150 %", "changes": load}]
        fleet = _fleet(levels) if asset_id in plant.learning else None
        provenance = "own" if fleet is None else "fleet"
        return TwinAnswer(
            asset_id=asset_id, provenance=provenance, model=None, fleet=fleet, drivers=drivers, presets=presets
        )

    @app.post("/api/v1/assets/{asset_id}/what-if")
    async def what_if(asset_id: str, body: WhatIfRequest) -> WhatIfAnswer:
        known(asset_id)
        flow = next((change.value for change in body.changes if change.column == "flow_m3_h"), levels["flow_m3_h"])
        power = levels["power_kw"] * flow / levels["flow_m3_h"]
        said = {"unit": "kW", "measured": levels["power_kw"], "expected_now": levels["power_kw"]}
        said |= {"expected": power, "projected": power, "low": power - 1, "high": power + 1}
        caution = {"column": "flow_m3_h", "message": "outside of the learned range", "outside_by": 1.0}
        return WhatIfAnswer(
            asset_id=asset_id,
            provenance="own",
            confidence="low",
            reach="extrapolated",
            model_version=1,
            reading_at=datetime.now(UTC),
            drivers={"flow_m3_h": flow},
            responses={"power_kw": said},
            derived={},
            health={"now": 94.0, "then": 81.0, "metrics_now": (), "metrics_then": ()},
            remaining_life=(),
            cautions=(caution,),
        )

    @app.post("/api/v1/assets/{asset_id}/baseline", status_code=202)
    async def retrain(asset_id: str, body: BaselineRequest) -> dict[str, str]:
        known(asset_id)
        plant.ordered.append({"asset_id": asset_id, "by": body.by, "reason": body.reason})
        return {"order_id": "o1"}


def _driver(name: str, unit: str, level: float) -> dict[str, object]:
    learned = {"low": 0.9 * level, "middle": level, "high": 1.1 * level}
    return {"column": name, "title": name, "unit": unit, "now": level, "learned": learned}


def _fleet(levels: Mapping[str, float]) -> dict[str, object]:
    level = levels["power_kw"]
    power = {"unit": "kW", "measured": level, "expected": 0.9 * level, "low": 0.85 * level, "high": 0.95 * level}
    return {
        "members": ["P-102", "P-201"],
        "reading_at": datetime.now(UTC).isoformat(),
        "deviation": 31.0,
        "band": "high",
        "confidence": "low",
        "responses": {"power_kw": power},
    }
