"""Puts the simulator together: plant file, registry, sources, producer, commands."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from forewarn.adapters.catalogue import Catalogue, load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.domain.simulation.profile import FaultCourse
from forewarn.runtime.probes import ProbeServer
from forewarn_simulator.commands import InjectionFeed
from forewarn_simulator.machines import SimulatedMachine
from forewarn_simulator.metrics import SimulatorMetrics
from forewarn_simulator.plant import PlantAsset, PlantError, ReplaySource, SimulatedSource, load_plant
from forewarn_simulator.raw_producer import RawProducer
from forewarn_simulator.reading import ReadingSource
from forewarn_simulator.registration import Registration, register
from forewarn_simulator.replay import Recording, Replay, find_recording, read_recording
from forewarn_simulator.settings import SimulatorSettings

_log = structlog.get_logger(__name__)

_LONGEST_WAIT_S: Final = 0.5  # commands are looked for at least this often
_FLUSH_S: Final = 3.0
_SKAB_PLACES: Final = (Path("../shared/data/skab"), Path("/data/skab"))


def simulate(settings: SimulatorSettings, stop: threading.Event) -> None:
    """Register the plant and stream its readings until ``stop``."""
    catalogue = load_catalogue(settings.catalogue_path)
    entries = _present(settings, catalogue)
    clock = SystemClock()
    ready = threading.Event()

    def problem() -> str | None:
        return None if ready.is_set() else "the plant is not registered yet"

    with ProbeServer(settings.probe_host, settings.probe_port, live=lambda: None, ready=problem):
        registered = register(
            [entry.asset for entry, _ in entries],
            settings.kafka_bootstrap_servers,
            settings.kafka_topic_prefix,
            now=clock.now(),
            stop=stop,
        )
        if stop.is_set():
            return
        ready.set()
        if not settings.simulation_enabled:
            _log.info("simulation_disabled", hint="SIMULATION_ENABLED=true starts it")
            stop.wait()
            return
        start_s = clock.now().timestamp()
        sources = _sources(entries, registered, settings.simulation_interval_seconds, start_s)
        _stream(settings, sources, registered, clock, stop)


def _present(settings: SimulatorSettings, catalogue: Catalogue) -> list[tuple[PlantAsset, Recording | None]]:
    """The plant's assets whose recordings, if they need one, are there."""
    plant = load_plant(settings.simulation_plant)
    places = [settings.skab_path] if settings.skab_path is not None else list(_SKAB_PLACES)
    if settings.simulation_plant is not None:
        places.append(settings.simulation_plant.parent)
    entries: list[tuple[PlantAsset, Recording | None]] = []
    for entry in plant.assets:
        asset_class = catalogue.get(entry.asset.asset_class)
        if asset_class is None:
            raise PlantError(f"asset {entry.asset.asset_id}: no class {entry.asset.asset_class} in the catalogue")
        if not isinstance(entry.source, ReplaySource):
            entries.append((entry, None))
            continue
        path = find_recording(entry.source.file, places)
        if path is not None:
            entries.append((entry, read_recording(path, asset_class, entry.source.time_column)))
        elif entry.source.optional:
            _log.info("recording_missing", asset_id=entry.asset.asset_id, file=entry.source.file, hint="set SKAB_PATH")
        else:
            looked = ", ".join(str(place) for place in places)
            raise PlantError(f"asset {entry.asset.asset_id}: no recording {entry.source.file} in {looked}")
    return entries


def _sources(
    entries: list[tuple[PlantAsset, Recording | None]],
    registered: Mapping[str, Registration],
    interval_s: float,
    start_s: float,
) -> dict[str, ReadingSource]:
    sources: dict[str, ReadingSource] = {}
    for entry, recording in entries:
        asset = entry.asset
        if isinstance(entry.source, SimulatedSource):
            sources[asset.asset_id] = SimulatedMachine(
                asset.asset_id,
                asset.asset_class,
                entry.source,
                interval_s=interval_s,
                registered_s=registered[asset.asset_id].at_s,
                start_s=start_s,
            )
        elif recording is not None:
            sources[asset.asset_id] = Replay(asset.asset_id, recording, entry.source, start_s=start_s)
    return sources


def _stream(
    settings: SimulatorSettings,
    sources: Mapping[str, ReadingSource],
    registered: Mapping[str, Registration],
    clock: SystemClock,
    stop: threading.Event,
) -> None:
    metrics = SimulatorMetrics()
    metrics.machines.set(len(sources))
    bootstrap, prefix = settings.kafka_bootstrap_servers, settings.kafka_topic_prefix
    producer = RawProducer(bootstrap, prefix, stop, metrics)
    feed = InjectionFeed(bootstrap, prefix)
    try:
        for asset_id, source in sources.items():
            if registered[asset_id].is_new:
                sent = sum(producer.send(reading) for reading in source.history(clock.now().timestamp()))
                _log.info("history_sent", asset_id=asset_id, readings=sent)
        _log.info("streaming", machines=len(sources), interval_s=settings.simulation_interval_seconds)
        while not stop.is_set():
            for asset_id, course in feed.poll():
                _inject(sources.get(asset_id), asset_id, course)
            now_s = clock.now().timestamp()
            for source in sources.values():
                for reading in source.due(now_s):
                    producer.send(reading)
            producer.poll()
            next_s = min(source.next_due_s for source in sources.values())
            stop.wait(min(max(next_s - clock.now().timestamp(), 0.0), _LONGEST_WAIT_S))
    finally:
        feed.close()
        producer.close(_FLUSH_S)


def _inject(source: ReadingSource | None, asset_id: str, course: FaultCourse) -> None:
    if not isinstance(source, SimulatedMachine):
        _log.warning("fault_ignored", asset_id=asset_id, reason="no simulated machine of this plant")
    elif course.fault not in source.faults:
        _log.warning("fault_ignored", asset_id=asset_id, fault=course.fault, known=source.faults)
    else:
        source.inject(course)
        _log.info("fault_injected", asset_id=asset_id, fault=course.fault, duration_s=course.duration_s)
