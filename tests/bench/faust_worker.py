"""The same work per event, as a Faust agent: one reading in, decode, guard, twin, anomaly, one result out.

Everything is in its favour: one agent instead of three hops, states in plain dictionaries without changelog
or checkpoints, machines that have learned already, no database. Without ``domain`` the agent only passes
messages on. ``python -m bench.faust_worker BOOTSTRAP SOURCE TARGET SECONDS ASSETS START domain|transport``
prints
how many events it handled, in which time, and at which cost.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import faust
import uvloop

from bench.offline import CLASS, Fleet
from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.faust.app import EventAppConfig, create_app
from forewarn.adapters.raw_readings import RawReadingDecoder
from forewarn.contracts.topics import DEFAULT_PARTITIONS
from forewarn.domain.anomaly import step as anomaly
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.frames.frame import Frame, concat
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState
from forewarn.domain.twin import step as twin
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.state import TwinState
from forewarn.ports.lanes import Record

_SLOW = 100
_START_S = 60.0

Work = Callable[[bytes, bytes], bytes]


class PerEvent:
    """The domain's work on single readings, with a state for each machine."""

    def __init__(self, assets: int, start_us: int) -> None:
        fleet = Fleet(assets, start_us)
        catalogue = load_catalogue()
        asset_class = catalogue[CLASS]
        self._decoder = RawReadingDecoder(catalogue, fleet.assets.get)
        self._settings = GuardSettings(), TwinSettings(), AnomalySettings()
        self._guard = {name: GuardState.empty(asset_class) for name in fleet.assets}
        self._twin = {name: TwinState.empty(asset_class) for name in fleet.assets}
        self._anomaly = {name: AnomalyState.empty(asset_class, self._settings[2]) for name in fleet.assets}
        by_asset: dict[str, list[Record]] = {name: [] for name in fleet.assets}
        for record in fleet.baseline():
            by_asset[(record.key or b"").decode()].append(record)
        for name, records in by_asset.items():
            self._judge(name, records)

    def __call__(self, key: bytes, value: bytes) -> bytes:
        """Score one reading."""
        received_us = round(time.time() * 1e6)
        record = Record(topic="", partition=0, offset=0, received_us=received_us, key=key, value=value)
        name = key.decode()
        scored = self._judge(name, [record])
        result: dict[str, Any] = {"asset_id": name, "ts": int(scored.arrays["ts"][-1])}
        result |= {column: float(values[-1]) for column, values in scored.arrays.items() if values.dtype.kind == "f"}
        return json.dumps(result).encode()

    def _judge(self, name: str, records: list[Record]) -> Frame:
        guard_settings, twin_settings, anomaly_settings = self._settings
        batches, _ = self._decoder.decode(records)
        guarded = check(batches[0].batch, self._guard[name], guard_settings, {})
        self._guard[name] = guarded.state
        self._twin[name], judged, _ = twin.step(self._twin[name], guarded.frame, twin_settings)
        if not judged:
            return guarded.frame
        self._anomaly[name], scored = anomaly.step(self._anomaly[name], concat(judged), anomaly_settings)
        return scored


@dataclass
class Meter:
    """Counts events when the first ones, which are slow, are over."""

    events: int = -_SLOW
    began_s: float = 0.0
    began_cpu_s: float = 0.0
    warm: asyncio.Event = field(default_factory=asyncio.Event)
    failure: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def note(self) -> None:
        """One more."""
        self.events += 1
        if self.events == 0:
            self.began_s, self.began_cpu_s = time.monotonic(), time.process_time()
            self.warm.set()

    def report(self) -> dict[str, float]:
        """What was done so far."""
        return {
            "events": self.events,
            "seconds": time.monotonic() - self.began_s,
            "cpu_s": time.process_time() - self.began_cpu_s,
        }


def _topic(app: faust.App, name: str) -> Any:  # Faust's topic
    raw = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    return app.topic(name, partitions=DEFAULT_PARTITIONS, **raw)


async def measure(bootstrap: str, source: str, target: str, seconds: float, work: Work) -> dict[str, float]:
    """Run the agent for some seconds."""
    service = f"bench.{target}"
    app = create_app(
        EventAppConfig(service=service, bootstrap_servers=bootstrap, prefix="", instance="", gather_s=0.01)
    )
    results = _topic(app, target)
    meter = Meter()

    async def judge(stream: Any) -> None:
        try:
            async for event in stream.events():
                await results.send(key=event.key, value=work(event.key, event.value))
                meter.note()
        except Exception as exc:
            meter.failure.set_exception(exc)  # Faust would start the agent again
            raise

    app.agent(_topic(app, source), name=f"{service}.agent")(judge)
    running = asyncio.create_task(app.start())
    try:
        await _first_of(meter.failure, asyncio.wait_for(meter.warm.wait(), _START_S))
        await _first_of(meter.failure, asyncio.sleep(seconds))
        return meter.report()
    finally:
        await app.stop()
        running.cancel()


async def _first_of(failure: asyncio.Future[None], wanted: Coroutine[Any, Any, Any]) -> None:
    """Wait for something, unless the agent fails before."""
    task = asyncio.create_task(wanted)
    done, _ = await asyncio.wait([failure, task], return_when=asyncio.FIRST_COMPLETED)
    for ended in done:
        ended.result()


def main(bootstrap: str, source: str, target: str, seconds: str, assets: str, start_us: str, kind: str) -> None:
    """Measure and print."""
    work: Work = PerEvent(int(assets), int(start_us)) if kind == "domain" else lambda _key, value: value
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(measure(bootstrap, source, target, float(seconds), work))
    print(json.dumps(report), flush=True)  # noqa: T201  # the report


if __name__ == "__main__":
    main(*sys.argv[1:8])
