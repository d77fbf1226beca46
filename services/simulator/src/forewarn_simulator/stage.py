"""Turns plants into sources of readings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from forewarn.adapters.catalogue import Catalogue
from forewarn.adapters.plant_document import PlantAsset, PlantDocument, ReplaySource, SimulatedSource
from forewarn.adapters.plant_file import PlantError, load_plants, plant_directories
from forewarn.adapters.plant_machine import story_of
from forewarn_simulator.gateway import BadGateway
from forewarn_simulator.machines import SimulatedMachine
from forewarn_simulator.reading import ReadingSource
from forewarn_simulator.registration import Registration
from forewarn_simulator.replay import Recording, Replay, find_recording, read_recording
from forewarn_simulator.settings import SimulatorSettings

_log = structlog.get_logger(__name__)

_SKAB_PLACES: Final = (Path("../shared/data/skab"), Path("/data/skab"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayableMachine:
    """A playable machine of a plant, with its recording, if any, and its interval."""

    entry: PlantAsset
    recording: Recording | None
    interval_s: float


def parts_of_plants(settings: SimulatorSettings, catalogue: Catalogue) -> list[PlayableMachine]:
    """Return all machines of the plants in the settings.

    Raises ``PlantError`` if a plant writes to files, or names a missing class or recording.
    """
    parts: list[PlayableMachine] = []
    for plant in load_plants(settings.simulation_plant):
        parts += parts_of(plant, settings, catalogue)
    return parts


def parts_of(plant: PlantDocument, settings: SimulatorSettings, catalogue: Catalogue) -> list[PlayableMachine]:
    """Return the machines of a plant, except those whose recording is missing.

    Raises ``PlantError`` if the plant writes to files, or names an unusable class or recording.
    """
    if plant.output.kind != "kafka":
        raise PlantError(
            f"plant {plant.name}: output is {plant.output.kind}, but the simulator streams; "
            "write files with: forewarn scenario plant FILE"
        )
    interval_s = plant.interval_s or settings.simulation_interval_seconds
    parts: list[PlayableMachine] = []
    for entry in plant.assets:
        asset_class = catalogue.get(entry.asset.asset_class)
        if asset_class is None:
            raise PlantError(f"asset {entry.asset.asset_id}: no class {entry.asset.asset_class} in the catalogue")
        if not isinstance(entry.source, ReplaySource):
            parts.append(PlayableMachine(entry=entry, recording=None, interval_s=interval_s))
            continue
        path = _recording_file(entry.asset.asset_id, entry.source, settings)
        if path is not None:
            recording = read_recording(path, asset_class, entry.source.time_column)
            parts.append(PlayableMachine(entry=entry, recording=recording, interval_s=interval_s))
    return parts


def sources_of(
    parts: list[PlayableMachine], registered: Mapping[str, Registration], catalogue: Catalogue, start_s: float
) -> Iterator[tuple[str, ReadingSource]]:
    """Return the source of each registered machine."""
    for part in parts:
        asset_id, source = part.entry.asset.asset_id, part.entry.source
        if isinstance(source, SimulatedSource):
            registered_s = registered[asset_id].at_s
            yield asset_id, _simulated(part, source, catalogue, registered_s, start_s)
        elif part.recording is not None:
            yield asset_id, Replay(asset_id, part.recording, source, start_s=start_s)


def _simulated(
    part: PlayableMachine, source: SimulatedSource, catalogue: Catalogue, registered_s: float, start_s: float
) -> ReadingSource:
    asset = part.entry.asset
    story = story_of(part.entry, source, catalogue[asset.asset_class], registered_s)
    machine = SimulatedMachine(
        asset.asset_id,
        asset.asset_class,
        source,
        interval_s=part.interval_s,
        registered_s=registered_s,
        start_s=start_s,
        story=story,
    )
    return machine if story.delivery.is_perfect else BadGateway(machine, story.delivery, seed=source.seed)


def _recording_file(asset_id: str, source: ReplaySource, settings: SimulatorSettings) -> Path | None:
    places = [settings.skab_path] if settings.skab_path is not None else list(_SKAB_PLACES)
    places += plant_directories(settings.simulation_plant)
    path = find_recording(source.file, places)
    if path is None and not source.optional:
        looked = ", ".join(str(place) for place in places)
        raise PlantError(f"asset {asset_id}: no recording {source.file} in {looked}")
    if path is None:
        _log.info("recording_missing", asset_id=asset_id, file=source.file, hint="set SKAB_PATH")
    return path
