"""The fakes pass the suites that the real adapters pass in tests/integration."""

import pytest

from forewarn.ports.delivery import DeliveryOverloaded
from forewarn.ports.history import HistoryUnavailable
from forewarn.testing.fake_history import FakeHistory
from forewarn.testing.fakes import FakeDelivery, FakeRegistry
from support.delivery_checks import DeliveryChecks, raw
from support.history_checks import HistoryChecks, events


class TestFakeHistory(HistoryChecks):
    @pytest.fixture
    def reader(self):
        history = FakeHistory()
        history.store(*events())
        return history

    async def test_it_can_be_away(self, reader):
        reader.away = True
        with pytest.raises(HistoryUnavailable):
            await reader.latest_health(["Q-1"])


class TestFakeDelivery(DeliveryChecks):
    @pytest.fixture
    def registry(self):
        return FakeRegistry(assets={})

    @pytest.fixture
    def delivery(self, registry):
        return FakeDelivery(registry)

    @pytest.fixture
    def stored(self, delivery):
        return lambda: [(message.key, message.value) for message in delivery.sent]

    @pytest.fixture
    def away(self, registry):
        return FakeDelivery(registry, away=True)

    async def test_it_can_be_overloaded(self, registry):
        with pytest.raises(DeliveryOverloaded):
            await FakeDelivery(registry, overloaded=True).send([raw(1)])
