"""Reads plant files: the user's own, and the examples that ship."""

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from forewarn.adapters.plant_document import Plant

_SUFFIX: Final = ".yaml"
DEMO: Final = "demo"


class PlantError(Exception):
    """A plant file cannot be used; the message names file, place and cure."""


def example_names() -> list[str]:
    """Names of the plants that ship."""
    return sorted(item.name.removesuffix(_SUFFIX) for item in _examples().iterdir() if item.name.endswith(_SUFFIX))


def load_plant(name: str) -> Plant:
    """Read a plant: an example by its name, or a file.

    Raises
    ------
    PlantError
        If there is no such file or example, it is no YAML, or breaks the schema.
    """
    example = name in example_names()
    source: Traversable = _examples() / f"{name}{_SUFFIX}" if example else Path(name)
    try:
        return Plant.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except OSError as exc:
        known = ", ".join(example_names())
        message = f"plant {name} cannot be read: {exc.strerror} (and it is none of the examples: {known})"
        raise PlantError(message) from exc
    except yaml.YAMLError as exc:
        raise PlantError(f"plant {name} is not valid YAML: {exc}") from exc
    except ValidationError as exc:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in error['loc']) or 'document'}: {error['msg']}" for error in exc.errors()
        )
        raise PlantError(f"plant {name}: {problems}") from exc


def load_plants(names: str) -> list[Plant]:
    """Read several plants, names separated by commas; no two may have an asset in common.

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
    """Directories of the files among the names."""
    return [Path(name).parent for name in _split(names) if name not in example_names()]


def _split(names: str) -> Sequence[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _examples() -> Traversable:
    return files("forewarn") / "plants"
