"""Attacks by messages: each sends what one broken or hostile producer could send."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench.abuse.plant import Plant
from forewarn.contracts.assets import AcknowledgeAlarm, Command
from forewarn.contracts.base import format_utc
from forewarn.contracts.topics import TopicName
from support.plant import pump_metrics
from support.wire import Message

_MIB = 1024 * 1024


def list_of_two_million(plant: Plant) -> str:
    """C1: one message of 4 MB whose two million elements are no readings."""
    value = b"[" + b"1," * 1_999_999 + b"1]"
    before = plant.rejected()
    plant.send(TopicName.READINGS_RAW, [Message(key=b"P-101", value=value)])
    plant.settle()
    return f"{plant.rejected() - before} rejected rows for 2,000,000 elements"


def command_before_the_first_year(plant: Plant) -> str:
    """C2: a command that matches its schema, issued before the year 1 in UTC."""
    command = Command(
        command_id="abuse-1",
        asset_id="P-101",
        issued_at=datetime.now(UTC),
        issued_by="abuse",
        body=AcknowledgeAlarm(alarm_id="P-101/x", occurrence_id="none"),
    )
    document = json.loads(command.model_dump_json()) | {"issued_at": "0001-01-01T00:00:00+05:00"}
    plant.send(TopicName.COMMANDS, [Message(key=b"P-101", value=json.dumps(document).encode())])
    plant.settle()
    return "set aside"


def junk_of_eight_megabytes(plant: Plant) -> str:
    """H3: 200 messages of 7.9 MB, then the page of rejections."""
    value = b"\xff" * (79 * _MIB // 10)
    plant.send(TopicName.READINGS_RAW, (Message(key=b"P-101", value=value) for _ in range(200)))
    plant.settle()
    begin_s = time.monotonic()
    status, body = plant.ask("/api/v1/rejected?limit=100")
    return f"GET /rejected?limit=100: {status}, {len(body) / _MIB:.1f} MiB in {time.monotonic() - begin_s:.1f} s"


def names_of_four_megabytes(plant: Plant) -> str:
    """H4: 300 readings whose second tag has a name of 3.9 MB."""

    def messages() -> Iterator[Message]:
        for number in range(300):
            metrics = {"flow_m3_h": 120.0, f"{number:03d}" + "x" * (39 * _MIB // 10): 1.0}
            reading = {"asset_id": "P-101", "ts": format_utc(datetime.now(UTC)), "metrics": metrics}
            yield Message(key=b"P-101", value=json.dumps(reading).encode())

    log_before = len(plant.platform.processes["validator"].log)
    plant.send(TopicName.READINGS_RAW, messages())
    plant.settle()
    grown = len(plant.platform.processes["validator"].log) - log_before
    return f"log of the validator grew by {grown / 1024:.0f} KiB"


def old_rows_of_many_assets(plant: Plant) -> str:
    """H7: history of 100 pumps, 4,000 rows each, in lists of 1,000."""
    names = [f"ABUSE-{number:03d}" for number in range(100)]
    plant.register(names)
    metrics = {name: round(value, 3) for name, value in pump_metrics(plant.rng, load=0.5).items()}
    start = datetime.now(UTC) - timedelta(days=30)

    def messages() -> Iterator[Message]:
        for name in names:
            for part in range(4):
                rows = [
                    {
                        "asset_id": name,
                        "ts": format_utc(start + timedelta(minutes=part * 1000 + row)),
                        "metrics": metrics,
                        "historical": True,
                    }
                    for row in range(1000)
                ]
                yield Message(key=name.encode(), value=json.dumps(rows).encode())

    before = plant.memory_mib("api")
    plant.send(TopicName.READINGS_RAW, messages())
    plant.settle(240)
    return f"API keeps {(plant.memory_mib('api') - before) / len(names):.2f} MiB more an asset"


def corrupt_frames(plant: Plant) -> str:
    """M8: real frames with every 7th byte of their schema changed, on each frame topic."""
    frames = plant.example_frames()
    sent = 0
    for topic, frame in frames.items():
        head = min(len(frame), 1400)
        broken = [frame[:at] + bytes([frame[at] ^ 0x5A]) + frame[at + 1 :] for at in range(0, head, 7)]
        sent += plant.send(topic, [Message(key=None, value=value, partition=0) for value in broken])
    plant.settle()
    return f"{sent} corrupt frames"
