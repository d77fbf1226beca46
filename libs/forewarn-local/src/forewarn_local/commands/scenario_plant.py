"""``forewarn scenario plant``: histories of a plant's machines as files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from forewarn.adapters.catalogue import CatalogueError, load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.adapters.plant_document import PlantDocument, SimulatedSource
from forewarn.adapters.plant_file import PlantError, example_names, load_plant
from forewarn.adapters.plant_machine import story_of
from forewarn.adapters.recording_files import NamedRecording, write_labels, write_readings
from forewarn.domain.simulation.recording import record
from forewarn_local.commands.common import catalogue_path, fail
from forewarn_local.display import Display


def plant(
    name: Annotated[str, typer.Argument(metavar="PLANT", help=f"Plant file, or one of {', '.join(example_names())}.")],
    out: Annotated[Path | None, typer.Option(help="Directory; the plant file's output.directory by default.")] = None,
    end: Annotated[
        datetime | None,
        typer.Option(help="End of the history (UTC), when the machines count as registered; default: now."),
    ] = None,
    *,
    labels: Annotated[bool, typer.Option(help="Also write NAME.labels.csv for each.")] = False,
) -> None:
    """Write the history of every simulated machine of a plant file, one file each."""
    display = Display()
    try:
        document = load_plant(name)
        directory = out or _directory(name, document)
        suffix = "csv" if document.output.kind == "kafka" else document.output.kind
        end_s = (SystemClock().now() if end is None else end.replace(tzinfo=UTC)).timestamp()
        histories = _histories(document, end_s)
        if not histories:
            display.note("no machine of the plant has a history: nothing written")
        for item in histories:
            path = directory / f"{item.asset_id}.{suffix}"
            write_readings(path, [item])
            if labels:
                write_labels(path.with_suffix(".labels.csv"), [item])
            display.say(f"{item.recording.rows:,} readings in {path}")
    except (PlantError, CatalogueError, ValueError, OSError) as exc:
        raise fail(display, str(exc)) from exc


def _directory(name: str, document: PlantDocument) -> Path:
    beside = Path() if name in example_names() else Path(name).parent
    return beside / (document.output.directory or document.name)


def _histories(document: PlantDocument, end_s: float) -> list[NamedRecording]:
    catalogue = load_catalogue(catalogue_path())
    found: list[NamedRecording] = []
    for entry in document.assets:
        source = entry.source
        if not isinstance(source, SimulatedSource) or source.history.rows == 0:
            continue
        history = source.history
        story = story_of(entry, source, catalogue[entry.asset.asset_class], end_s)
        start_s = end_s - (history.rows - 1) * history.every_s
        recording = record(story, start_s=start_s, step_s=history.every_s, rows=history.rows)
        found.append(NamedRecording(asset_id=entry.asset.asset_id, recording=recording))
    return found
