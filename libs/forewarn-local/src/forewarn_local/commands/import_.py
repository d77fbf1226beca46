"""``forewarn import``: send history from a file through the pipeline."""

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
import yaml
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from forewarn.adapters.catalogue import Catalogue, CatalogueError, load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.adapters.disk import DiskSpace
from forewarn.adapters.importing.converting import check_mapping
from forewarn.adapters.importing.mapping_file import read_mapping, write_mapping
from forewarn.adapters.importing.progress import ImportRunningError, ProgressFile, import_key
from forewarn.adapters.importing.proposal import AmbiguousTimeError, Said, propose
from forewarn.adapters.importing.registering import ImportRegistry
from forewarn.adapters.importing.rejects import Rejects
from forewarn.adapters.importing.report import ImportReport
from forewarn.adapters.importing.run import ImportPlan, send_all, try_out, wait_until_taken
from forewarn.adapters.importing.scan import Scan, scan
from forewarn.adapters.importing.sending import HistorySender
from forewarn.adapters.importing.source import SourceFile, open_source
from forewarn.adapters.kafka.errors import BrokerRefused, BrokerUnavailable
from forewarn.adapters.kafka.publisher import DeliveryError
from forewarn.adapters.tables.table import TableError
from forewarn.adapters.timescale.lifecycle import LifeCycle
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import Identifier
from forewarn.contracts.importing import ImportMapping, TimeFormat
from forewarn.domain.importing.guess import Roles, guess_roles
from forewarn.domain.importing.new_class import new_class
from forewarn.domain.time import to_microseconds
from forewarn_local.commands.common import catalogue_path, fail, here
from forewarn_local.display import Display
from forewarn_local.home import Home
from forewarn_local.import_display import mapping_table, progress_bars, report_table, summary
from forewarn_local.kafka import answers
from forewarn_local.settings import load_settings

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)")
_SECONDS: Final = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_ANSWER_S: Final = 10.0
_NEVER_US: Final = 2**62
_AHEAD_US: Final = 600 * 1_000_000  # what the validator accepts


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command line."""

    file: Path
    said: Said
    time: str | None
    mapping: Path | None
    write_mapping: Path | None
    new_class: str | None
    max_gap_s: float | None
    keep: tuple[str, ...]
    ends_at: str | None
    report: Path | None
    rejects: Path | None
    dry_run: bool
    yes: bool
    wait: bool


class _StopError(Exception):
    """Nothing was imported; the text says why and what to do."""


#: Problems that the user can solve.
_EXPECTED: Final = (
    _StopError, TableError, AmbiguousTimeError, CatalogueError, ImportRunningError, BrokerRefused, BrokerUnavailable,
    DeliveryError,
)  # fmt: skip


def import_(  # noqa: PLR0913  # one for each option
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or Parquet, wide or long.")],
    *,
    asset: Annotated[str | None, typer.Option(help="Asset that the readings belong to.")] = None,
    asset_class: Annotated[str | None, typer.Option("--class", help="Asset class; registers unknown assets.")] = None,
    mapping: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Mapping file (YAML).")] = None,
    write_mapping: Annotated[Path | None, typer.Option(help="Write the mapping to this file and exit.")] = None,
    new_class: Annotated[str | None, typer.Option(help="Write an asset class for this file and exit.")] = None,
    time: Annotated[str | None, typer.Option(help="Time column; 'Date,Time' for two.")] = None,
    time_format: Annotated[TimeFormat | None, typer.Option(help="Format of the times, if ambiguous.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times without one, e.g. Europe/Berlin; UTC.")] = None,
    max_gap: Annotated[str | None, typer.Option(help="Close gaps up to this; 0s: none. Default: 3 rows.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="Constant tag to keep; may be repeated.")] = None,
    ends_at: Annotated[str | None, typer.Option(help="Shift all times so that the last is this: now, or ISO.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Write every refused row and value as CSV.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything except sending.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Use the guessed mapping without asking.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until the platform has judged everything.")] = True,
) -> None:
    """Import history from a file: judged like live readings, without alarms. It is safe to run it again."""
    with _explained(Display()) as display:
        options = Options(
            file=file,
            said=Said(asset=asset, asset_class=asset_class, timezone=timezone, time_format=time_format),
            time=time,
            mapping=mapping,
            write_mapping=write_mapping,
            new_class=new_class,
            max_gap_s=None if max_gap is None else _span_s(max_gap),
            keep=tuple(keep or ()),
            ends_at=ends_at,
            report=report,
            rejects=rejects,
            dry_run=dry_run,
            yes=yes,
            wait=wait,
        )
        _import(options, display)


@contextmanager
def _explained(display: Display) -> Iterator[Display]:
    """End the command with one line for each problem that the user can solve."""
    try:
        yield display
    except _EXPECTED as exc:
        raise fail(display, str(exc)) from exc
    except OSError as exc:
        raise fail(display, f"{exc.filename}: {exc.strerror}") from exc


def _import(options: Options, display: Display) -> None:
    _require_asset_ids([options.said.asset] if options.said.asset is not None else [])
    home, environment = here()
    console = Console(highlight=False)
    writes_only = options.write_mapping is not None and options.mapping is None
    alone = options.dry_run or options.new_class or (writes_only and options.said.asset_class)
    platform = None if alone else _kafka(home, environment)
    source = open_source(options.file)
    known = None if options.mapping is None else _adapted(read_mapping(options.mapping), options.said)
    roles = _roles(source, options, known)
    with progress_bars(console) as show:
        found = scan(source, roles, lambda rows: show("scanning", rows, rows))
    display.say(f"{options.file}: {source.form}, {found.rows:,} rows, {len(source.names)} columns")
    if options.new_class is not None:
        _write_class(options, found, catalogue_path(), display)
        return
    catalogue = load_catalogue(catalogue_path())
    registry = None if platform is None else ImportRegistry(*platform, SystemClock(), time.sleep)
    try:
        asset_class = _class(options, known, catalogue, _registered_class(registry, options, known, found))
        mapping = known or _agreed(source, found, roles, options, asset_class, console)
        check_mapping(source, mapping, asset_class)
        if writes_only and options.write_mapping is not None:
            write_mapping(mapping, options.write_mapping)
            written = f"the mapping is in {options.write_mapping}; check it, then run again with --mapping"
            display.say(f"nothing imported: {written}")
            return
        plan = _plan(source, found, mapping, asset_class, options)
        _require_asset_ids(_assets(plan))
        if registry is None:
            _try_out(plan, home, options, display, console)
        else:
            _send(plan, registry, home, options, display, console)
    finally:
        if registry is not None:
            registry.close()


def _require_asset_ids(names: Sequence[str]) -> None:
    try:
        TypeAdapter(tuple[Identifier, ...]).validate_python(tuple(names))
    except ValidationError as exc:
        name = exc.errors()[0]["input"]
        cure = "use letters, digits and _ . -; asset_names in a mapping file can rename the machines of a column"
        raise _StopError(f"{name!r} is not a valid asset id: {cure}") from exc


def _assets(plan: ImportPlan) -> list[str]:
    """Return the asset ids of the file's machines."""
    names = [plan.mapping.asset] if plan.mapping.asset else plan.scan.assets
    return [plan.mapping.asset_names.get(name, name) for name in names]


def _send(
    plan: ImportPlan, registry: ImportRegistry, home: Home, options: Options, display: Display, console: Console
) -> None:
    new = registry.register(_assets(plan), plan.asset_class.name, plan.mapping.asset_class, SystemClock().now())
    if new:
        display.note(f"registered {', '.join(new)} as {plan.asset_class.name}")
    reserve_gb = load_settings(here()[1]).disk_reserve_gb
    disk = DiskSpace(path=home.data, reserve_gb=reserve_gb) if home.addresses.exists() else None
    sender = HistorySender(registry.bootstrap_servers, registry.prefix, SystemClock(), time.sleep, disk=disk)
    settings = plan.mapping.model_dump_json() + json.dumps([plan.max_gap_us, plan.keep, options.ends_at])
    key = import_key(options.file, sender.cluster_id(), registry.prefix, settings)
    with (
        ProgressFile(home.imports, key) as place,
        Rejects(options.rejects) as rejects,
        progress_bars(console) as show,
    ):
        report = send_all(plan, place, rejects, sender, show)
        if options.wait:
            wait_until_taken(sender, show)
    _show(report, options, display, console)
    display.say("Readings that the guard rejected: GET /api/v1/rejected.")


def _try_out(plan: ImportPlan, home: Home, options: Options, display: Display, console: Console) -> None:
    home.imports.mkdir(parents=True, exist_ok=True)
    with Rejects(options.rejects) as rejects, progress_bars(console) as show:
        report, assets = try_out(plan, home.imports / f"dry-run-{os.getpid()}.spool", rejects, show)
    _show(report, options, display, console)
    display.say(f"Nothing was sent (--dry-run). Assets: {', '.join(assets[:5])}.")


def _show(report: ImportReport, options: Options, display: Display, console: Console) -> None:
    console.print(report_table(report))
    for line in summary(report):
        display.say(line)
    if options.report is not None:
        report.write(options.report)
    days = _retention_days()
    if report.first is not None and datetime.fromisoformat(report.first) < SystemClock().now() - timedelta(days=days):
        display.note(
            f"the database keeps readings for {days} days: older ones are judged, then dropped at its next clean-up. "
            "Raise READINGS_RETENTION_DAYS, or move the recording to today with --ends-at now"
        )
    if not report.readings:
        raise TableError(f"{options.file}: no reading could be imported; see the reasons above")


def _roles(source: SourceFile, options: Options, known: ImportMapping | None) -> Roles:
    if known is not None:
        long = known.long
        return Roles(
            time=known.time.columns,
            asset=known.asset_column,
            tag=long.tag if long else None,
            value=long.value if long else None,
            quality=long.quality if long else None,
        )
    roles = guess_roles(source.names)
    if options.time is None:
        return roles
    names = (options.time,) if options.time in source.names else tuple(options.time.split(","))
    missing = [name for name in names if name not in source.names]
    if missing:
        raise _StopError(f"--time: no column {missing[0]!r}; the file has {', '.join(source.names)}")
    return Roles(time=names, asset=roles.asset, tag=roles.tag, value=roles.value, quality=roles.quality)


def _adapted(mapping: ImportMapping, said: Said) -> ImportMapping:
    """Return the mapping overridden by the command line: one mapping can serve many files."""
    changes: dict[str, object] = {}
    if said.asset is not None:
        changes |= {"asset": said.asset, "asset_column": None}
    if said.asset_class is not None:
        changes["asset_class"] = said.asset_class
    stated = {"timezone": said.timezone, "format": said.time_format}
    time_columns = mapping.time.model_copy(update={name: value for name, value in stated.items() if value is not None})
    return mapping.model_copy(update={**changes, "time": time_columns})


def _registered_class(
    registry: ImportRegistry | None, options: Options, known: ImportMapping | None, found: Scan
) -> str | None:
    """Return the class of the file's registered assets; None if there are none."""
    if registry is None:
        return None
    one = options.said.asset or (known.asset if known else None)
    aliases = known.asset_names if known else {}
    names = [one] if one else [aliases.get(name, name) for name in found.assets]
    return next((found_class for name in names if (found_class := registry.class_of(name))), None)


def _class(options: Options, known: ImportMapping | None, catalogue: Catalogue, of_asset: str | None) -> AssetClass:
    wanted = options.said.asset_class or (known.asset_class if known else None)
    if of_asset is not None and wanted is not None and of_asset != wanted:
        raise _StopError(f"{options.said.asset or 'an asset of the file'} is registered as {of_asset}, not as {wanted}")
    name = wanted or of_asset
    if name is None:
        raise _StopError(
            f"no asset class given: use --class NAME, one of {', '.join(sorted(catalogue))}; "
            "for other equipment create one from this file with --new-class NAME"
        )
    if name not in catalogue:
        raise _StopError(f"the catalogue has no class {name!r}; it has {', '.join(sorted(catalogue))}")
    return catalogue[name]


def _agreed(
    source: SourceFile, found: Scan, roles: Roles, options: Options, asset_class: AssetClass, console: Console
) -> ImportMapping:
    """Return the guessed mapping once the user agrees."""
    interactive = sys.stdin.isatty() and console.is_terminal and not options.yes
    said = options.said
    try:
        mapping = propose(source, found, roles, said, asset_class)
    except AmbiguousTimeError:
        if not interactive or found.numeric_time:
            raise
        answer = ""
        while answer not in ("day", "month"):
            answer = typer.prompt(f"{found.time_example!r}: which comes first, day or month?").strip().lower()
        chosen: TimeFormat = "month-first" if answer == "month" else "day-first"
        said = Said(asset=said.asset, asset_class=said.asset_class, timezone=said.timezone, time_format=chosen)
        mapping = propose(source, found, roles, said, asset_class)
    console.print(mapping_table(mapping, found, asset_class))
    if options.yes or options.write_mapping is not None:
        return mapping
    if not interactive:
        raise _StopError(
            "nothing imported: this mapping is a guess and needs confirmation; repeat with --yes, or "
            "write it to a file with --write-mapping FILE and pass that with --mapping FILE"
        )
    if not typer.confirm("Is this right?", default=True):
        raise _StopError(
            "nothing imported: write the mapping with --write-mapping FILE, correct it, then pass --mapping FILE"
        )
    return mapping


def _plan(
    source: SourceFile, found: Scan, mapping: ImportMapping, asset_class: AssetClass, options: Options
) -> ImportPlan:
    now_us = to_microseconds(SystemClock().now())
    end_us = None if options.ends_at is None else now_us if options.ends_at == "now" else _moment_us(options.ends_at)
    unknown = sorted(set(options.keep) - set(asset_class.tag_names))
    if unknown:
        raise _StopError(f"--keep {unknown[0]}: {asset_class.name} has no such tag")
    return ImportPlan(
        source=source,
        scan=found,
        mapping=mapping,
        asset_class=asset_class,
        max_gap_us=None if options.max_gap_s is None else round(options.max_gap_s * 1e6),
        latest_us=_NEVER_US if end_us is not None else now_us + _AHEAD_US,
        end_us=end_us,
        keep=options.keep,
    )


def _write_class(options: Options, found: Scan, directory: Path | None, display: Display) -> None:
    if directory is None:
        raise _StopError("--new-class writes into your own catalogue: set CATALOGUE_PATH to its directory")
    name = options.new_class or ""
    path = directory / f"{name}.yaml"
    if path.exists():
        raise _StopError(f"{path} exists; choose another name, or edit that file")
    document, mapped = new_class(name, name.replace("_", " ").capitalize(), found.samples)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    directory.mkdir(parents=True, exist_ok=True)
    origin = f"# Created by `forewarn import --new-class` from {options.file.name}: check units and ranges."
    path.write_text(f"{origin}\n{text}", encoding="utf-8")
    try:
        load_catalogue(directory)
    except CatalogueError:
        path.unlink()
        raise
    display.say(
        f"{path}: {len(mapped)} tags. Check units and ranges, restart the platform (it creates the tables), then"
    )
    display.say(f"  forewarn import {options.file} --asset ID --class {name}")


def _kafka(home: Home, environment: dict[str, str]) -> tuple[str, str]:
    servers = environment.get("KAFKA_BOOTSTRAP_SERVERS") or home.running().get("kafka")
    if servers is None:
        raise _StopError("Forewarn is not running here (`make run`), and KAFKA_BOOTSTRAP_SERVERS is not set")
    if not answers(servers, _ANSWER_S):
        raise _StopError(f"no Kafka answers at {servers}: is the platform running?")
    return servers, environment.get("KAFKA_TOPIC_PREFIX", "")


def _retention_days() -> int:
    text = here()[1].get("READINGS_RETENTION_DAYS", "")
    return int(text) if text.isdigit() else LifeCycle().drop_after.days


def _span_s(text: str) -> float:
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise _StopError(f"--max-gap {text}: write it as 30s, 5min or 2h")
    return float(match[1]) * _SECONDS[match[2]]


def _moment_us(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _StopError(f"--ends-at {text}: write it as 2026-11-21T10:00:00Z, or now") from None
    return to_microseconds(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
