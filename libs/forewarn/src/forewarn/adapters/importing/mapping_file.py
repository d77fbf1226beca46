"""Mapping files: YAML of ``contracts.importing.ImportMapping``."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from forewarn.adapters.tables.table import TableError
from forewarn.contracts.importing import ImportMapping


def read_mapping(path: Path) -> ImportMapping:
    """Read a mapping.

    Raises
    ------
    TableError
        With the place of what is wrong.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise TableError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise TableError(f"{path}: is not YAML: {exc}") from exc
    try:
        return ImportMapping.model_validate(document)
    except ValidationError as exc:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'mapping'}: {e['msg']}" for e in exc.errors())
        raise TableError(f"{path}: {problems}") from exc


def write_mapping(mapping: ImportMapping, path: Path) -> None:
    """Write a mapping that ``read_mapping`` reads, for a person to check and edit."""
    document = mapping.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=False)
    path.write_text(f"# How to read a file: forewarn import FILE --mapping {path.name}\n{text}", encoding="utf-8")
