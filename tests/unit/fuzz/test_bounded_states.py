"""What is remembered of an asset fits into one message of the changelog, whatever its machine does and however long."""

import asyncio

import numpy as np
import pytest
from pydantic import TypeAdapter

from forewarn.adapters.frames.codec import encode_frame
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.limits import KIB, MIB
from forewarn.contracts.topics import TopicName
from forewarn.testing.frames import anomaly_frame, timestamps_us
from forewarn.testing.mutations import Message
from forewarn_health.state import AssetState, observe
from unit.fuzz.consumers import _record, alerting
from unit.fuzz.corpus import CATALOGUE

HOUR_S = 3600.0


@pytest.mark.parametrize("name", ["centrifugal_pump", "reciprocating_compressor"])
def test_health_remembers_months_in_a_few_kilobytes(name):
    asset_class, codec = CATALOGUE[name], TypeAdapter(AssetState)
    rng = np.random.default_rng(1)
    states = {}
    for part in range(3):
        rows = 24 * 60
        columns = {tag.name: rng.uniform(*tag.engineering_range, size=rows) for tag in asset_class.tags}
        ts_us = timestamps_us(rows, start_s=part * rows * HOUR_S, step_s=HOUR_S)
        said = {"flag": rng.random(rows) < 0.5, "score": rng.uniform(0, 100, rows)}
        states.update(observe(states, anomaly_frame(asset_class, ["x"] * rows, ts_us, {**columns, **said})).states)
    assert len(codec.dump_json(states["x"])) < 64 * KIB


@pytest.mark.parametrize("name", ["centrifugal_pump", "turbine"])
def test_an_asset_that_crosses_all_its_limits_with_every_reading_says_so_in_portions(name):
    """The stored state holds the transitions under way; published they are all the same."""
    asset_class, rows = CATALOGUE[name], 800
    rules = [rule for rule in asset_class.alarms if rule.column is not None]
    beyond = {}
    for rule in rules:
        over = rule.high + 1 if rule.high is not None else rule.low - 1
        calm = rule.high - rule.deadband - 1 if rule.high is not None else rule.low + rule.deadband + 1
        beyond[rule.column] = np.where(np.arange(rows) % 4 < 2, over, calm)
    ts_us = timestamps_us(rows, step_s=HOUR_S)
    frame = anomaly_frame(asset_class, ["x"] * rows, ts_us, beyond, kind=FrameKind.VALID)
    plane = alerting()
    sizes = []
    store = plane.engine.store

    async def measured(asset_ids):
        asset_ids = list(asset_ids)
        sizes.extend(len(plane.engine.codec.dump_json(plane.engine.states[item])) for item in asset_ids)
        await store(asset_ids)

    plane.engine.store = measured
    record = _record(TopicName.READINGS_VALID, 0, Message(b"0", encode_frame(frame)))
    asyncio.run(plane.take(TopicName.READINGS_VALID, [record]))
    transitions = sum(item.topic is TopicName.ALERTS for item in plane.publisher.sent)
    assert transitions > 500
    assert max(sizes, default=0) < MIB
