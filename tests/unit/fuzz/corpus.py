"""Valid messages of every topic, and what the fuzz test makes of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from forewarn.adapters.baseline_orders import ORDER_KEY, encode_order
from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.frames.codec import encode_frame
from forewarn.contracts.base import Contract
from forewarn.contracts.baseline import BaselineOrder
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TOPICS, TopicName
from forewarn.domain.frames.frame import Frame
from forewarn.testing.examples import example_frame
from forewarn.testing.frames import anomaly_frame, timestamps_us
from forewarn.testing.hostile import Target, hostile_cases
from forewarn.testing.mutations import Message, damaged_documents, damaged_frames

CATALOGUE = load_catalogue()
PUMP = CATALOGUE["centrifugal_pump"]
EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
#: When the messages are taken.
NOW = datetime(2026, 11, 20, 20, 10, tzinfo=UTC)
NOW_US = int(NOW.timestamp() * 1e6)
POISON_ASSETS = ("P-101", "P-102")
METRICS = {"flow_m3_h": 120.3, "vibration_mm_s": 2.1, "power_kw": 31.0, "bearing_temp_c": 55.0}


def messages(topic: TopicName, count: int, seed: int = 1) -> Iterator[Message]:
    """Damaged messages of a topic, always the same ones."""
    rng = np.random.default_rng([seed, list(TopicName).index(topic)])
    content = TOPICS[topic].content
    damaged = damaged_frames if isinstance(content, FrameKind) else damaged_documents
    return islice(damaged(seeds(topic), rng), count)


@cache
def seeds(topic: TopicName) -> tuple[Message, ...]:
    """Valid messages of a topic."""
    content = TOPICS[topic].content
    if topic is TopicName.READINGS_RAW:
        return _readings()
    if isinstance(content, FrameKind):
        return (*_frames(content), *(_orders() if content is FrameKind.VALID else ()))
    assert content is not None
    return tuple(Message(_key_of(topic, event), json.dumps(event).encode()) for event in _documents(content))


def _readings() -> tuple[Message, ...]:
    target = Target(asset_id="P-101", metrics=METRICS, now=NOW)
    known = [Message(case.key, case.value) for case in hostile_cases(target) if len(case.value or b"") < 10_000]
    many = [target.at(-second).reading(seq=second, source="gw-1") for second in range(20)]
    # of the corpus only what can be parsed is a seed of documents
    parsed = [message for message in known if _is_json(message.value)]
    return (*parsed, *(Message(target.key, json.dumps(document).encode()) for document in (many, many[0], many[:2])))


def _is_json(value: bytes | None) -> bool:
    try:
        json.loads(value or b"")
    except (ValueError, RecursionError):
        return False
    return True


def _frames(kind: FrameKind) -> Iterator[Message]:
    for asset_class in list(CATALOGUE.values())[:4]:
        yield Message(b"0", encode_frame(example_frame(kind, asset_class)))
    for rows in (1, 12):
        yield Message(b"0", encode_frame(frame_of(kind, POISON_ASSETS[0], rows)))


def frame_of(kind: FrameKind, asset_id: str, rows: int, start_s: float = 0.0) -> Frame:
    """A healthy pump, of any kind."""
    ts_us = timestamps_us(rows, start_s=start_s)
    frame = anomaly_frame(
        PUMP, [asset_id] * rows, ts_us, kind=FrameKind.VALID if kind is FrameKind.VALID else FrameKind.ANOMALY
    )
    return frame.extend(kind, {}) if kind is FrameKind.TWIN else frame


def _orders() -> Iterator[Message]:
    order = BaselineOrder(
        order_id="o-1", asset_id="P-101", requested_at=NOW, requested_by="planner", since=NOW - timedelta(days=1)
    )
    yield Message(ORDER_KEY, encode_order(order, PUMP))
    yield Message(ORDER_KEY, encode_order(order, PUMP, frame_of(FrameKind.VALID, "P-101", 50)))


def _documents(contract: type[Contract]) -> Iterator[dict[str, Any]]:
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in contract.__name__).lstrip("_")
    for path in sorted((EXAMPLES / f"{name}.v1").glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def _key_of(topic: TopicName, event: dict[str, Any]) -> bytes:
    about = event.get("alarm", event)
    keys = {
        TopicName.MODELS: f"{about.get('asset_id')}/{about.get('kind')}",
        TopicName.ALERTS_ACTIVE: about.get("alarm_id"),
    }
    return str(keys.get(topic, about.get("asset_id"))).encode()
