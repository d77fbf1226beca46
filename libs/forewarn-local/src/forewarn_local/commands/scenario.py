"""``forewarn scenario``: play scenarios into files or into the running platform."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from forewarn.adapters.catalogue import CatalogueError, load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.adapters.plant_file import example_names, load_plant
from forewarn.adapters.recording_files import (
    NamedRecording,
    require_format,
    require_labels_apart,
    write_labels,
    write_readings,
)
from forewarn.adapters.scenario_request import ScenarioRequest, recorded
from forewarn.contracts.assets import Asset
from forewarn.domain.simulation.kinds import KINDS
from forewarn.domain.simulation.scenarios import SCENARIOS
from forewarn_local.commands.common import catalogue_path, fail, here
from forewarn_local.commands.scenario_plant import plant
from forewarn_local.display import Display, plain_table
from forewarn_local.http_requests import post

app = typer.Typer(help="Play scenarios: faults of machines, sensors and gateways.", no_args_is_help=True)
app.command("plant")(plant)

_ACCEPTED: Final = 202
_FULL: Final = 1.0

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Scenario, see: forewarn scenario list")]
_Class = Annotated[str | None, typer.Option("--class", help="Class of the machine.")]
_AssetId = Annotated[str | None, typer.Option("--asset", help="Asset id; one of an example plant needs no --class.")]
_Days = Annotated[float | None, typer.Option(help="Length in days; default: the scenario's.")]
_Severity = Annotated[float, typer.Option(help="Above 0 and up to 1.")]
_Seed = Annotated[int, typer.Option(min=0, help="Equal seeds give equal readings.")]
_Tag = Annotated[str | None, typer.Option(help="Tag whose sensor fails, for sensor scenarios.")]
_Step = Annotated[float, typer.Option(help="Seconds between readings.")]


@app.command("list")
def show(
    asset_class: Annotated[str | None, typer.Option("--class", help="Only scenarios of this class.")] = None,
) -> None:
    """List the scenarios with their usual length and classes."""
    if asset_class is not None and asset_class not in KINDS:
        raise fail(Display(), f"Machines of class {asset_class!r} cannot be simulated, only {', '.join(KINDS)}.")
    table = plain_table("scenario", "days", "what happens", "classes")
    for item in SCENARIOS.values():
        if asset_class is None or asset_class in item.classes:
            classes = "all" if len(item.classes) == len(KINDS) else ", ".join(item.classes)
            table.add_row(item.name, f"{item.days:g}", item.title, classes)
    Console(highlight=False).print(table)


@app.command("generate")
def generate(  # noqa: PLR0913  # options of a command line
    name: _Name,
    *,
    out: Annotated[Path, typer.Option(help="File to write: .csv, .parquet or .jsonl.")],
    asset_class: _Class = None,
    asset: _AssetId = None,
    days: _Days = None,
    severity: _Severity = _FULL,
    seed: _Seed = 0,
    step: _Step = 300.0,
    start: Annotated[
        datetime | None, typer.Option(help="Time of the first reading (UTC); default: so that the last is now.")
    ] = None,
    tag: _Tag = None,
    labels: Annotated[Path | None, typer.Option(help="CSV file for the true fault of each reading.")] = None,
) -> None:
    """Write the readings of one machine during a scenario."""
    display = Display()
    request = ScenarioRequest(
        scenario=name,
        asset=_asset(display, asset, asset_class),
        days=days,
        severity=severity,
        seed=seed,
        step_s=step,
        end_s=SystemClock().now().timestamp(),
        start_s=None if start is None else start.replace(tzinfo=UTC).timestamp(),
        tag=tag,
    )
    try:
        require_format(out)
        if labels is not None:
            require_labels_apart(labels, out)
        recording = recorded(request, load_catalogue(catalogue_path()))
        named = NamedRecording(asset_id=request.asset.asset_id, recording=recording)
        write_readings(out, [named])
        if labels is not None:
            write_labels(labels, [named])
    except (ValueError, OSError, CatalogueError) as exc:
        raise fail(display, str(exc)) from exc
    display.say(f"{named.recording.rows:,} readings of {named.asset_id} ({request.asset.asset_class}) in {out}")
    if labels is not None:
        display.say(f"Labels in {labels}")


@app.command("stream")
def stream(  # noqa: PLR0913  # options of a command line
    name: _Name,
    *,
    asset_class: _Class = None,
    asset: _AssetId = None,
    days: _Days = None,
    severity: _Severity = _FULL,
    seed: _Seed = 0,
    step: _Step = 300.0,
    acceleration: Annotated[
        float | None,
        typer.Option(
            help="Live, so many times faster than real time. Default: sent at once as history, which never alarms."
        ),
    ] = None,
    tag: _Tag = None,
) -> None:
    """Play a scenario into the running platform."""
    body = {
        "scenario": name,
        "asset_class": asset_class,
        "asset_id": asset,
        "duration_days": days,
        "severity": severity,
        "seed": seed,
        "interval_s": step,
        "acceleration": acceleration,
        "tag": tag,
        "output": "stream",
    }
    answer = _ask("/api/v1/scenarios/generate", {key: value for key, value in body.items() if value is not None})
    Display().say(f"Playing {name} on {answer['asset_id']}: {answer['readings']} readings.")


@app.command("setup")
def set_up(
    name: Annotated[str, typer.Argument(metavar="PLANT", help=f"One of {', '.join(example_names())}.")],
) -> None:
    """Register an example plant's machines in the running platform, with their history, and start them."""
    answer = _ask("/api/v1/scenarios/demo/setup", {"plant": name})
    assets = answer["assets"]
    listed = ", ".join(str(item) for item in assets) if isinstance(assets, list) else ""
    Display().say(f"Plant {name} is set up: {listed}")


def _asset(display: Display, asset_id: str | None, asset_class: str | None) -> Asset:
    """Return the machine to simulate: one of an example plant, or any of the class."""
    if asset_class is None:
        known = {entry.asset.asset_id: entry.asset for name in example_names() for entry in load_plant(name).assets}
        if asset_id is None or asset_id not in known:
            what = "Say which machine" if asset_id is None else f"No example plant has an asset {asset_id}"
            raise fail(display, f"{what}: --class CLASS, one of {', '.join(KINDS)}.")
        return known[asset_id]
    name = asset_id or f"SIM-{asset_class}"
    try:
        return Asset(asset_id=name, asset_class=asset_class, name=name)
    except ValueError as exc:
        raise fail(display, f"{name} is no asset id, or {asset_class} no class: use letters, digits and _ . -") from exc


def _ask(path: str, body: dict[str, object]) -> dict[str, object]:
    """Post to the running platform's API; end with the problem that it reports."""
    home, environment = here()
    api_url = home.running().get("api_url")
    if api_url is None:
        raise fail(Display(), "Forewarn is not running here. `make run` starts it.")
    status, answer = post(f"{api_url}{path}", body, token=environment.get("API_TOKEN"))
    if status != _ACCEPTED:
        raise fail(Display(), str(answer.get("detail") or f"the API answered {status}"))
    return answer
