"""What an import did to a file, for people and as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TagReport:
    """Counts for one tag of one asset; ``low`` and ``high`` are of what was sent, None if nothing was."""

    asset_id: str
    tag: str
    column: str
    unit: str
    file_unit: str | None
    removed: str | None
    sent: int
    filled: int
    missing: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Outcome of an import.

    Every row of the file is among ``readings`` (several may be one), ``rows_repeated``, ``rows_emptied`` or
    ``rows_refused``.
    """

    file: str
    rows: int
    readings: int
    rows_repeated: int
    rows_emptied: int
    rows_refused: int
    values_refused: int
    refused: dict[str, int]
    examples: dict[str, list[str]]
    times_told_apart: int
    first: str | None
    last: str | None
    ignored: tuple[str, ...]
    tags: tuple[TagReport, ...]
    sent_before: int

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
