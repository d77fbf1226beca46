"""What every ``PlantApi`` answers: one suite for the fake in memory and for the HTTP client, over the real API and over
the small API of the browser tests.

A test class inherits ``PlantApiChecks`` and gives it a fixture ``api``: it has the pumps P-101 and P-102, and of P-101
the open alarm ``vibration_high``: occurrence ``o-1``, earlier ``o-0``.
"""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from forewarn_dashboard.client import Acknowledgement, ApiConflictError, ApiNotFoundError, FleetQuery, HistoryRequest

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


def seen(asset_id="P-101", occurrence_id="o-1"):
    return Acknowledgement(
        asset_id=asset_id, rule="vibration_high", occurrence_id=occurrence_id, comment="on it", by="ada"
    )


class PlantApiChecks:
    """Behaviour of a ``PlantApi``."""

    async def test_assets_are_listed_and_found(self, api):
        assets = {asset.asset_id: asset for asset in await api.assets()}
        assert {"P-101", "P-102"} <= set(assets)
        detail = await api.detail("P-101")
        assert detail.asset == assets["P-101"]
        assert detail.asset_class.name == "centrifugal_pump"
        report = await api.economics("P-101")
        assert report.asset_id == "P-101"

    async def test_the_overview_is_filtered_and_paged(self, api):
        everything = await api.overview(FleetQuery(limit=100))
        ids = [row.asset_id for row in everything.items]
        assert everything.found == everything.counts.assets == len(ids) == len(await api.assets())
        chosen = await api.overview(FleetQuery(assets=("P-102",), limit=100))
        assert [row.asset_id for row in chosen.items] == ["P-102"]
        name = chosen.items[0].name
        for text in (name, name.upper()):
            found = await api.overview(FleetQuery(text=text, limit=100))
            assert [row.asset_id for row in found.items] == ["P-102"], "whatever the case"
        second = await api.overview(FleetQuery(offset=1, limit=1))
        assert ([row.asset_id for row in second.items], second.found) == (ids[1:2], len(ids))
        counted = await api.overview(FleetQuery())
        assert (list(counted.items), counted.found) == ([], len(ids)), "without a limit there are only counts"

    async def test_an_unknown_asset_is_not_found(self, api):
        for question in (
            api.detail("P-999"),
            api.economics("P-999"),
            api.twin("P-999"),
            api.what_if("P-999", {"flow_m3_h": 100.0}),
            api.retrain("P-999", by="ada", reason="new impeller"),
            api.remove("P-999", by="ada", purge=False),
            api.acknowledge(seen("P-999")),
        ):
            with pytest.raises(ApiNotFoundError):
                await question
        query = HistoryRequest(start=NOW - timedelta(hours=1), end=NOW, columns=("power_kw",))
        assert (await api.history("P-999", query)).times == ()

    async def test_only_the_newest_occurrence_can_be_acknowledged(self, api):
        with pytest.raises(ApiConflictError):
            await api.acknowledge(seen(occurrence_id="o-0"))
        await api.acknowledge(seen())

    async def test_an_asset_can_be_retrained_and_removed(self, api):
        await api.retrain("P-102", by="ada", reason="new impeller")
        await api.remove("P-102", by="ada", purge=False)
        assert "P-102" not in {asset.asset_id for asset in await api.assets()}
        with pytest.raises(ApiNotFoundError):
            await api.detail("P-102")

    async def test_the_live_feed_begins_with_everything(self, api):
        for chosen in ({}, {"assets": ("P-101",)}, {"only_alarms": True}):
            async with aclosing(api.live(**chosen)) as feed:
                first = await asyncio.wait_for(anext(feed), 20)
                assert first.complete, chosen
