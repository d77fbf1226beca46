"""Reads plant files: the user's own, and the built-in examples."""

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from forewarn.adapters.catalogue.document import CatalogueProblem, UnreadableDocumentError, read_document
from forewarn.adapters.catalogue.schema_words import schema_findings
from forewarn.adapters.plant_document import PlantDocument

_SUFFIX: Final = ".yaml"
DEMO: Final = "demo"


class PlantError(Exception):
    """A plant file cannot be used; the message names file, line, key and cure of every problem."""


def example_names() -> list[str]:
    """Return the names of the built-in plants."""
    return sorted(item.name.removesuffix(_SUFFIX) for item in _examples().iterdir() if item.name.endswith(_SUFFIX))


def load_plant(name: str) -> PlantDocument:
    """Load a built-in plant by its name, or a file.

    Raises
    ------
    PlantError
        If there is no such file or example, it is not YAML, or breaks the schema.
    """
    example = name in example_names()
    source: Traversable = _examples() / f"{name}{_SUFFIX}" if example else Path(name)
    if not source.is_file():
        known = ", ".join(example_names())
        raise PlantError(f"plant {name} cannot be read: No such file (and not one of the examples: {known})")
    try:
        document = read_document(source)
        raw = document.values()
    except UnreadableDocumentError as exc:
        raise _refused(exc.problems) from exc
    try:
        return PlantDocument.model_validate(raw)
    except ValidationError as exc:
        findings = schema_findings(exc, PlantDocument, raw)
        raise _refused([document.problem(place, text) for place, text in findings]) from exc


def _refused(problems: Sequence[CatalogueProblem]) -> PlantError:
    lines = [str(problem) for problem in sorted(set(problems))]
    if len(lines) == 1:
        return PlantError(f"plant {lines[0]}")
    return PlantError("\n".join((f"{len(lines)} problems in the plant:", *(f"  {line}" for line in lines))))


def load_plants(names: str) -> list[PlantDocument]:
    """Load several plants, names separated by commas; no two may share an asset.

    Raises
    ------
    PlantError
        As ``load_plant``, or if an asset is in two of them.
    """
    plants = [load_plant(name) for name in _split(names)]
    if not plants:
        raise PlantError(f"no plant is named; there are {', '.join(example_names())}, or give a file")
    owner: dict[str, str] = {}
    for plant in plants:
        for entry in plant.assets:
            asset_id = entry.asset.asset_id
            if asset_id in owner:
                raise PlantError(f"asset {asset_id} is in plant {owner[asset_id]} and in plant {plant.name}")
            owner[asset_id] = plant.name
    return plants


def plant_directories(names: str) -> list[Path]:
    """Return the directories of the files among the names."""
    return [Path(name).parent for name in _split(names) if name not in example_names()]


def _split(names: str) -> Sequence[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _examples() -> Traversable:
    return files("forewarn") / "plants"
