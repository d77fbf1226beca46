"""A ``forewarn_dashboard.client.PlantApi`` in memory; passes ``support.plant_api_checks``."""

import asyncio
from datetime import UTC, datetime, timedelta

from forewarn.contracts.answers.alarms import AlarmList
from forewarn.contracts.answers.assets import AssetDetail
from forewarn.contracts.answers.overview import AssetRow, Counts, Overview
from forewarn.domain.economics.report import economic_report
from forewarn_dashboard.client import (
    NO_HISTORY,
    ApiConflictError,
    ApiNotFoundError,
    ApiUnavailableError,
    HistoryColumns,
    LiveUpdate,
)


class MemoryApi:
    """Serves what its attributes hold; raises ``failure`` from everything while it is set."""

    def __init__(self, assets=(), classes=None):
        self.known = {asset.asset_id: asset for asset in assets}
        self.classes = classes or {}
        self.failure = None
        self.acknowledged = []
        self.twins = {}
        self.closed = AlarmList(items=[])
        self.asked_closed = []
        self.answer = None
        self.asked = []
        self.ordered = []
        self.occurrences = {}
        self.calls = []
        self.asked_overview = []
        self.followed = []
        self.removed = []
        self.feed = asyncio.Queue()

    def _called(self, name, asset_id=None):
        self.calls.append(name)
        if self.failure is not None:
            raise self.failure
        if asset_id is not None and asset_id not in self.known:
            raise ApiNotFoundError(f"There is no asset {asset_id!r}.")

    async def assets(self):
        self._called("assets")
        return tuple(self.known.values())

    async def overview(self, query):
        self._called("overview")
        self.asked_overview.append(query)
        rows = [
            AssetRow(
                **asset.model_dump(include={"asset_id", "name", "asset_class", "path", "criticality"}),
                condition="silent",
                ts=None,
                health=None,
                category=None,
                trend="unknown",
                score=None,
                flag=False,
                alarm=None,
                alarms=0,
            )
            for asset in self.known.values()
            if query.text.casefold() in asset.name.casefold() and (not query.assets or asset.asset_id in query.assets)
        ]
        return Overview(
            counts=Counts(
                assets=len(self.known), conditions={"silent": len(self.known)}, priorities={}, unacknowledged=0
            ),
            found=len(rows),
            items=rows[query.offset : query.offset + query.limit],
        )

    async def detail(self, asset_id):
        self._called("detail", asset_id)
        asset = self.known[asset_id]
        return AssetDetail(asset=asset, asset_class=self.classes[asset.asset_class], models=[])

    async def history(self, asset_id, query):
        self._called("history")
        if asset_id not in self.known:
            return NO_HISTORY
        times = tuple(query.end - timedelta(seconds=s) for s in (3, 2, 1))
        return HistoryColumns(times=times, columns={"score": (1.0, 2.0, 3.0)}, resolution="raw")

    async def history_csv(self, asset_id, query):
        self._called("history_csv")
        return b"ts\r\n"

    async def economics(self, asset_id):
        self._called("economics", asset_id)
        asset = self.known[asset_id]
        return economic_report(
            asset,
            self.classes[asset.asset_class],
            now=datetime(2026, 11, 20, 20, 0, tzinfo=UTC),
            period_days=30,
            health=None,
            course=(),
            power=None,
        )

    async def closed_alarms(self, query):
        self._called("closed_alarms")
        self.asked_closed.append(query)
        return self.closed

    async def acknowledge(self, request):
        self._called("acknowledge", request.asset_id)
        if self.occurrences.get(f"{request.asset_id}/{request.rule}") != request.occurrence_id:
            raise ApiConflictError("The alarm occurred again.")
        self.acknowledged.append(request)

    async def remove(self, asset_id, *, by, purge):
        self._called("remove", asset_id)
        del self.known[asset_id]
        self.removed.append((asset_id, by, purge))

    async def twin(self, asset_id):
        self._called("twin")
        if asset_id not in self.twins:
            raise ApiNotFoundError(f"There is no asset {asset_id!r}.")
        return self.twins[asset_id]

    async def what_if(self, asset_id, changes):
        self._called("what_if", asset_id)
        self.asked.append((asset_id, dict(changes)))
        return self.answer

    async def retrain(self, asset_id, *, by, reason):
        self._called("retrain", asset_id)
        self.ordered.append((asset_id, by, reason))

    async def live(self, *, assets=(), only_alarms=False):
        self._called("live")
        self.followed.append((tuple(assets), only_alarms))
        yield LiveUpdate(complete=True)
        while (update := await self.feed.get()) is not None:
            yield update
        raise ApiUnavailableError("The API closed the live feed.")
