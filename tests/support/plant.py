"""A small plant for tests: registered pumps and plausible readings of them, numbered and reproducible."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from forewarn.adapters.kafka.publisher import EventPublisher
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import format_utc
from forewarn.contracts.topics import TopicName
from support.wire import Message

REPOSITORY = Path(__file__).parents[2]

PUMPS = tuple(Asset(asset_id=f"P-{n:03d}", asset_class="centrifugal_pump", name=f"Pump {n}") for n in range(24))
BASE_US = 1_790_000_000_000_000  # any fixed instant; tests shift it to now where the accept window matters


def register(bootstrap: str, prefix: str, assets: tuple[Asset, ...] = PUMPS) -> None:
    """Put assets into the registry of an installation."""
    publisher = EventPublisher(bootstrap, prefix, source="/forewarn/test")
    for asset in assets:
        publisher.publish(
            TopicName.ASSETS, asset.asset_id, asset, event_id=f"register-{asset.asset_id}", at=datetime.now(UTC)
        )
    publisher.flush(30)


def pump_metrics(rng: np.random.Generator, *, load: float) -> dict[str, float]:
    """Tags of a healthy centrifugal pump at a load between 0 and 1, with sensor noise."""
    flow = 120 + 90 * load
    head_m = 62 - 0.00045 * flow**2
    suction = 1.8
    hydraulic_kw = 998 * 9.80665 * (flow / 3600) * head_m / 1000
    power = hydraulic_kw / 0.68
    noise = rng.normal(size=10)
    return {
        "flow_m3_h": flow + 0.4 * noise[0],
        "suction_pressure_bar": suction + 0.01 * noise[1],
        "discharge_pressure_bar": suction + head_m * 998 * 9.80665 / 1e5 + 0.02 * noise[2],
        "speed_rpm": 2950 + 2 * noise[3],
        "power_kw": power + 0.1 * noise[4],
        "motor_current_a": 1.75 * power + 0.2 * noise[5],
        "vibration_mm_s": 1.9 + 0.4 * load + 0.05 * noise[6],
        "bearing_temp_c": 52 + 6 * load + 0.2 * noise[7],
        "fluid_temp_c": 21 + 0.1 * noise[8],
        "ambient_temp_c": 24 + 0.1 * noise[9],
    }


def pump_messages(
    rounds: int,
    *,
    assets: tuple[Asset, ...] = PUMPS,
    start_us: int | None = None,
    step_us: int = 100_000,
    seed: int = 7,
) -> Iterator[Message]:
    """``rounds`` numbered readings of each pump, one message each, round by round."""
    rng = np.random.default_rng(seed)
    begin = int(datetime.now(UTC).timestamp() * 1e6) - rounds * step_us if start_us is None else start_us
    for number in range(rounds):
        ts = format_utc(datetime.fromtimestamp((begin + number * step_us) / 1e6, UTC))
        for position, asset in enumerate(assets):
            load = 0.5 + 0.5 * np.sin(number / 40 + position)
            reading = {
                "asset_id": asset.asset_id,
                "ts": ts,
                "metrics": {k: round(v, 4) for k, v in pump_metrics(rng, load=load).items()},
                "seq": number,
                "source": "test",
            }
            yield Message(key=asset.asset_id.encode(), value=json.dumps(reading).encode())
