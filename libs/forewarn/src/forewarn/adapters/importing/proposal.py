"""Proposes a mapping for a file, from its names and contents."""

from collections.abc import Sequence
from dataclasses import dataclass

from forewarn.adapters.importing.scan import Scan
from forewarn.adapters.importing.source import SourceFile
from forewarn.adapters.tables.table import TableError
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.importing import ColumnMapping, ImportMapping, LongLayout, TimeColumns, TimeFormat
from forewarn.domain.importing.guess import Roles, guess_columns


class AmbiguousTimeError(Exception):
    """Day and month, or the meaning of numbers, are ambiguous; a person must decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the user has specified; None: nothing."""

    asset: str | None = None
    asset_class: str | None = None
    timezone: str | None = None
    time_format: TimeFormat | None = None


def propose(source: SourceFile, scan: Scan, roles: Roles, said: Said, asset_class: AssetClass) -> ImportMapping:
    """Propose a mapping.

    Raises
    ------
    TableError
        If there is no time column, no asset or more than was said, or nothing that fits the class.
    AmbiguousTimeError
        If the times can be read in more than one way.
    """
    time = _time(source, scan, roles, said)
    names = scan.tags if roles.tag else [name for name in source.names if name not in roles.columns]
    guesses = guess_columns(names, asset_class)
    if not guesses:
        raise TableError(
            f"{source.path}: none of {_listed(names)} looks like a tag of {asset_class.name} "
            f"({_listed(asset_class.tag_names)}); say which is which with --mapping, or take --new-class NAME"
        )
    if said.asset is None and roles.asset is None:
        raise TableError(f"{source.path}: no column names the asset: say whose readings these are with --asset")
    if said.asset is not None and len(scan.assets) > 1:
        raise TableError(
            f"{source.path}: column {roles.asset!r} names {len(scan.assets)} machines ({_listed(scan.assets)}), and "
            f"--asset {said.asset} would make them one: leave it away, or rename them by asset_names in a mapping file"
        )
    long = None
    if roles.tag is not None and roles.value is not None:
        long = LongLayout(tag=roles.tag, value=roles.value, quality=roles.quality)
    return ImportMapping(
        asset_class=said.asset_class,
        asset=said.asset,
        asset_column=None if said.asset is not None else roles.asset,
        time=time,
        long=long,
        columns={name: ColumnMapping(tag=guess.tag, unit=guess.unit) for name, guess in guesses.items()},
        ignored=tuple(name for name in names if name not in guesses),
    )


def _time(source: SourceFile, scan: Scan, roles: Roles, said: Said) -> TimeColumns:
    if not roles.time:
        raise TableError(
            f"{source.path}: none of {_listed(source.names)} is called like a time; name the column with --time"
        )
    time_format = said.time_format or scan.time_format
    if time_format is None and scan.numeric_time:
        raise AmbiguousTimeError(
            f"{source.path}: numbers like {scan.time_example} in {roles.time[0]!r} are no moment by themselves; "
            "if they are seconds, say in a mapping file (--write-mapping) when they begin: format elapsed-s with start"
        )
    if time_format is None:
        raise AmbiguousTimeError(
            f"{source.path}: {scan.time_example!r} can have the day or the month first, and no other row decides it; "
            "say --time-format day-first or --time-format month-first"
        )
    return TimeColumns(columns=roles.time, format=time_format, timezone=said.timezone or "UTC")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown} … ({len(names)} in all)"  # those shown
