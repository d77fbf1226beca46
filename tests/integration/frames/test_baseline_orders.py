"""Orders to retrain, sent as the API sends them, while the twin is killed: obeyed exactly once."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from forewarn.adapters.baseline_orders import ORDER_KEY, encode_order
from forewarn.adapters.event_codec import decode_event
from forewarn.adapters.frames.codec import decode_frame
from forewarn.adapters.kafka.admin import create_topics
from forewarn.adapters.kafka.delivery import KafkaDelivery
from forewarn.contracts.baseline import BaselineOrder
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.topics import TopicName, qualified
from forewarn.domain.frames.frame import Frame, concat
from forewarn.ports.delivery import OutgoingMessage
from forewarn.ports.lanes import Record
from integration.frames.processors import BASELINE, CATALOGUE, LANES, TWIN, VALIDATOR
from integration.frames.running import start_service, wait_until_drained
from integration.frames.test_exactly_once import assert_exactly_once
from support.plant import PUMPS, pump_messages, register
from support.stack import wait_until
from support.wire import Feed, read_topic

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

RENEWED, FROM_HISTORY = PUMPS[0].asset_id, PUMPS[1].asset_id
STORED = 250
TWO_DAYS_US = 2 * 86_400_000_000


def stored_readings(asset_id: str) -> Frame:
    """What the database would hold of an asset two days ago."""
    asset = next(pump for pump in PUMPS if pump.asset_id == asset_id)
    now_us = int(time.time() * 1e6)
    lanes = VALIDATOR.make_lanes()
    lanes.open(0, None)
    raw = pump_messages(STORED, assets=(asset,), start_us=now_us - TWO_DAYS_US, seed=3)
    records = [Record("raw", 0, offset, now_us, message.key, message.value) for offset, message in enumerate(raw)]
    values = [o.value for o in lanes.process(records).outputs if o.topic is TopicName.READINGS_VALID]
    return concat([decode_frame(value, CATALOGUE, FrameKind.VALID) for value in values])


def send(bootstrap: str, prefix: str, asset_id: str, history: Frame | None = None) -> None:
    order = BaselineOrder(
        order_id=f"order-{asset_id}", asset_id=asset_id, requested_at=datetime.now(UTC), requested_by="anna"
    )
    value = encode_order(order, CATALOGUE["centrifugal_pump"], history)

    async def deliver() -> None:
        delivery = KafkaDelivery(bootstrap, prefix, source="/forewarn/test", timeout_s=20, max_under_way=100)
        try:
            message = OutgoingMessage(topic=TopicName.READINGS_VALID, key=ORDER_KEY, value=value)
            assert await delivery.broadcast(message) == ()
        finally:
            delivery.close()

    asyncio.run(deliver())


def versions(bootstrap: str, prefix: str, asset_id: str) -> list[tuple[int, str] | None]:
    """Models of an asset as they were announced; None: it had none from then on."""
    own = [
        record
        for record in read_topic(bootstrap, TopicName.MODELS, prefix)
        if record.key == f"{asset_id}/twin".encode()
    ]
    cards = [None if record.value is None else decode_event(ModelArtefact, record.value) for record in own]
    return [None if card is None else (card.version, card.requested_by) for card in cards]


def test_orders_are_obeyed_exactly_once_through_kill_9(kafka_broker, topic_prefix, spawn_service):
    bootstrap = kafka_broker.bootstrap_servers
    create_topics(bootstrap, topic_prefix)
    register(bootstrap, topic_prefix)
    service = start_service(spawn_service, TWIN, bootstrap, topic_prefix, "1")
    learned = BASELINE // 5 * LANES  # messages after which every pump has a model
    with Feed(bootstrap, qualified(TWIN.source, topic_prefix), TWIN.feed(), 2 * TWIN.per_second) as feed:
        wait_until(lambda: feed.sent >= learned + 60, 60)
        send(bootstrap, topic_prefix, RENEWED)
        service.kill()  # most likely before it has seen the order
        service.start()
        send(bootstrap, topic_prefix, FROM_HISTORY, stored_readings(FROM_HISTORY))
        ordered = feed.sent
        wait_until(lambda: feed.sent >= ordered + learned // 2, 60)
        service.kill()  # in the middle of the new baseline
        service.start()
        wait_until(lambda: feed.sent >= max(1_500, ordered + learned + 120), 60)
        feed.finish()

    wait_until_drained(TWIN, bootstrap, topic_prefix)
    assert service.terminate() < 10
    assert_exactly_once(TWIN, bootstrap, topic_prefix)
    assert versions(bootstrap, topic_prefix, RENEWED) == [(1, "automatic"), None, (2, "anna")]
    assert versions(bootstrap, topic_prefix, FROM_HISTORY) == [(1, "automatic"), (2, "anna")]
