"""Sink and API stay below their ceilings whatever is sent: hundreds of megabytes of refused messages, an import."""

import re
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

from forewarn.adapters.event_codec import encode_event
from forewarn.adapters.frames.codec import encode_frame
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.limits import MEMORY_CEILING_MIB, MIB
from forewarn.contracts.readings import RejectedReading, RejectionReason
from forewarn.contracts.topics import TopicName, qualified
from forewarn.testing.api_examples import PUMP_CLASS
from forewarn_local.ports import any_free
from support.sink_frames import numbered_frames
from support.sink_plant import count
from support.stack import wait_until
from support.wire import Message, produce

pytestmark = pytest.mark.integration

REFUSALS = 40
SIZE = int(7.9 * MIB)
ASSETS = 30


def peak_mib(service):
    """Most resident memory that a process ever had."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def original(number):
    return b"%04d" % number + b"\xff" * (SIZE - 4)


def refusals():
    for number in range(REFUSALS):
        event = RejectedReading(
            rejected_id=f"readings.raw/0/{number}", topic="readings.raw", partition=0, offset=number,
            reason=RejectionReason.BAD_ENCODING, explanation="no UTF-8", recommendation="send UTF-8",
            rejected_at="2026-11-20T00:00:00Z", asset_id="P-101", original=original(number),
        )  # fmt: skip
        yield Message(key=b"P-101", value=encode_event(event), partition=0)


@pytest.mark.timeout(240)
def test_sink_and_api_stay_below_their_ceilings(api, kafka_broker, topic_prefix, migrated_url, spawn_service):
    """They took 2,023 and 2,483 MB."""
    sink = spawn_service(
        "forewarn_sink",
        {
            "KAFKA_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": topic_prefix,
            "DATABASE_URL": migrated_url,
            "PROBE_PORT": str(any_free()),
        },
    )
    bootstrap = kafka_broker.bootstrap_servers
    produce(bootstrap, qualified(TopicName.READINGS_REJECTED, topic_prefix), refusals())
    for kind, topic in ((FrameKind.VALID, TopicName.READINGS_VALID), (FrameKind.ANOMALY, TopicName.ANOMALY_SCORES)):
        frame = next(numbered_frames(kind, PUMP_CLASS, partition=0, readings=4_000, per_frame=4_000, assets=1))
        data = encode_frame(frame)
        names = (data.replace(b"N-00-0", f"I-{number:04d}".encode()) for number in range(ASSETS))
        produce(bootstrap, qualified(topic, topic_prefix), (Message(key=None, value=name) for name in names))
    wait_until(lambda: count(migrated_url, "rejected") == REFUSALS, 150, lambda: sink.log[-2000:])
    wait_until(lambda: count(migrated_url) == 4_000 * ASSETS, 60, lambda: sink.log[-2000:])
    page = api.http.get("/api/v1/rejected", params={"limit": 100}).json()
    assert [item["size_bytes"] for item in page["items"]] == [SIZE] * REFUSALS
    assert len(page["items"][0]["preview"]) == 2_048
    one = api.http.get("/api/v1/rejected/readings.raw/0/7").json()["rejected"]
    assert sha256(b64decode(one["original"])).digest() == sha256(original(7)).digest()
    assert sink.running
    peaks = {"sink": peak_mib(sink), "api": peak_mib(api.process)}
    assert all(peaks[name] < MEMORY_CEILING_MIB[name] for name in peaks), peaks
