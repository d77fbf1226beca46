"""Cache of what rarely changes about assets."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from forewarn.contracts.answers.assets import AssetDetail
from forewarn.contracts.answers.twin import FleetJudgement
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.economics import EconomicReport
from forewarn.contracts.frames import expected_column
from forewarn.contracts.health import ModelArtefact
from forewarn.ports.clock import Clock
from forewarn_dashboard.client import ApiError, HistoryRequest, PlantApi

KEEP_S: Final = 15.0
#: Costs over weeks hardly change in minutes, and summing them up loads the database.
KEEP_ECONOMICS_S: Final = 300.0
MAX_KEPT: Final = 200
LEARNING_LOOKBACK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetProfile:
    """What rarely changes about an asset."""

    asset: Asset
    asset_class: AssetClass
    model: ModelArtefact | None = None  #: card of its newest twin
    learned: int | None = None  #: readings so far for the first model; None unless the twin is learning it
    economics: EconomicReport | None = None  #: None if the API could not say
    fleet: FleetJudgement | None = None  #: while only other assets of its class have a model


class Details:
    """Cache in front of ``PlantApi.detail``, which live pages need at every tick."""

    def __init__(self, api: PlantApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._kept: dict[str, tuple[float, AssetProfile]] = {}
        self._reports: dict[str, tuple[float, EconomicReport]] = {}

    async def get(self, asset_id: str) -> AssetProfile:
        """Return a profile no older than 15 s; raise like ``PlantApi.detail``."""
        now_s = self._clock.monotonic_s()
        kept = self._kept.get(asset_id)
        if kept is not None and now_s - kept[0] < KEEP_S:
            return kept[1]
        known = await self._api.detail(asset_id)
        model = next((card for card in known.models if card.kind == "twin"), known.models[0] if known.models else None)
        detail = AssetProfile(
            asset=known.asset,
            asset_class=known.asset_class,
            model=model,
            learned=await self._readings_so_far(known) if model is None else None,
            fleet=await self._fleet(asset_id) if model is None else None,
            economics=await self._economics(asset_id, now_s),
        )
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
            self._reports.clear()
        self._kept[asset_id] = (now_s, detail)
        return detail

    def forget(self, asset_id: str) -> None:
        """Drop a removed asset."""
        self._kept.pop(asset_id, None)
        self._reports.pop(asset_id, None)

    async def _economics(self, asset_id: str, now_s: float) -> EconomicReport | None:
        kept = self._reports.get(asset_id)
        if kept is not None and now_s - kept[0] < KEEP_ECONOMICS_S:
            return kept[1]
        try:
            report = await self._api.economics(asset_id)
        except ApiError:  # the rest of the page does not need it
            return None
        self._reports[asset_id] = (now_s, report)
        return report

    async def _fleet(self, asset_id: str) -> FleetJudgement | None:
        try:
            return (await self._api.twin(asset_id)).fleet
        except ApiError:  # as above
            return None

    async def _readings_so_far(self, detail: AssetDetail) -> int | None:
        """Return the readings so far for the first model; None while the twin is being retrained."""
        now = self._clock.now()
        spec = detail.asset_class.twin
        query = HistoryRequest(
            start=now - LEARNING_LOOKBACK,
            end=now,
            columns=(spec.responses[0],),
            max_points=spec.baseline_readings,
            resolution="raw",
        )
        history = await self._api.history(detail.asset.asset_id, query)
        had_a_model = any(value is not None for value in history.column(expected_column(spec.responses[0])))
        return None if had_a_model else len(history.times)
