"""What every confirmed delivery and registry do: one suite for the fakes and for Kafka.

A test class inherits ``DeliveryChecks`` and gives it fixtures: ``delivery`` and ``registry`` of one platform without
assets, ``stored``, which returns ``(key, value)`` of what was sent to ``readings.raw``, and ``away``, a delivery whose
broker does not answer.
"""

import asyncio
from datetime import UTC, datetime

import pytest

from forewarn.contracts.assets import AcknowledgeAlarm, Asset, Command
from forewarn.contracts.removal import REMOVAL_HEADER
from forewarn.contracts.topics import TopicName
from forewarn.ports.delivery import BrokerSilent, OutgoingMessage
from support.stack import wait_until

AT = datetime(2026, 11, 20, 20, tzinfo=UTC)
SEEN = AcknowledgeAlarm(alarm_id="P-1/bearing_hot", occurrence_id="o-1")
PUMP = Asset(asset_id="P-1", asset_class="centrifugal_pump", name="Feed pump")
OTHER = Asset(asset_id="P-2", asset_class="centrifugal_pump", name="Spare pump")


def raw(number: int) -> OutgoingMessage:
    return OutgoingMessage(topic=TopicName.READINGS_RAW, key=b"P-1", value=b"%d" % number)


async def until(condition):
    await asyncio.to_thread(wait_until, condition, 20)


class DeliveryChecks:
    """Behaviour of a ``ConfirmedDelivery`` and the ``RegisteredAssets`` behind it."""

    async def test_what_is_confirmed_is_stored_in_order(self, delivery, stored):
        assert await delivery.send([]) == ()
        assert await delivery.send([raw(n) for n in range(50)]) == ()
        assert stored() == [(b"P-1", b"%d" % n) for n in range(50)]
        await delivery.ping()

    async def test_a_broadcast_reaches_every_partition(self, delivery, stored):
        assert await delivery.broadcast(raw(7)) == ()
        assert stored() == [(b"P-1", b"7")] * 12

    async def test_an_event_of_another_contract_is_refused(self, delivery):
        with pytest.raises(TypeError, match="commands carries"):
            await delivery.publish(TopicName.COMMANDS, "P-1", SEEN, event_id="x", at=AT)
        command = Command(command_id="c-1", asset_id="P-1", issued_at=AT, issued_by="ada", body=SEEN)
        assert await delivery.publish(TopicName.COMMANDS, "P-1", command, event_id="c-1", at=AT) is None

    async def test_the_registry_holds_what_is_published_until_it_is_retracted(self, delivery, registry):
        changes = []
        stop = registry.listen(lambda: changes.append(registry.count()))
        assert registry.get("P-1") is None
        sent = [(asset.asset_id, asset, asset.asset_id) for asset in (PUMP, OTHER)]
        assert await delivery.publish_all(TopicName.ASSETS, sent, at=AT) == ()
        await until(lambda: registry.count() == 2 and 2 in changes)
        before = registry.all()
        assert (registry.get("P-1"), dict(before)) == (PUMP, {"P-1": PUMP, "P-2": OTHER})

        renamed = PUMP.model_copy(update={"name": "Boiler feed pump"})
        assert await delivery.publish(TopicName.ASSETS, "P-1", renamed, event_id="r", at=AT) is None
        await until(lambda: registry.get("P-1") == renamed)
        assert before["P-1"] == PUMP, "all() is a snapshot"

        assert await delivery.retract(TopicName.ASSETS, "P-1", headers={REMOVAL_HEADER: "m-1"}) is None
        await until(lambda: registry.get("P-1") is None and 1 in changes)
        assert dict(registry.all()) == {"P-2": OTHER}
        assert registry.problem() is None

        stop()
        heard = len(changes)
        assert await delivery.retract(TopicName.ASSETS, "P-2", headers={REMOVAL_HEADER: "m-2"}) is None
        await until(lambda: registry.count() == 0)
        assert len(changes) == heard, "a listener that has left hears nothing"

    async def test_without_a_broker_nothing_is_confirmed(self, away):
        assert [failure.index for failure in await away.send([raw(1), raw(2)])] == [0, 1]
        failed = await away.publish(TopicName.ASSETS, "P-1", PUMP, event_id="a", at=AT)
        assert failed.reason
        assert (await away.retract(TopicName.ASSETS, "P-1", headers={})).reason
        sent = [(asset.asset_id, asset, asset.asset_id) for asset in (PUMP, OTHER)]
        assert [failure.index for failure in await away.publish_all(TopicName.ASSETS, sent, at=AT)] == [0, 1]
        with pytest.raises(BrokerSilent):
            await away.ping()
        with pytest.raises(BrokerSilent):
            await away.broadcast(raw(1))
