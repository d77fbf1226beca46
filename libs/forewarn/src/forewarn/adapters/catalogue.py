"""Reads the catalogue of asset classes from YAML files."""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

import yaml
from pydantic import ValidationError

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.physics.derive import plan

Catalogue = Mapping[str, AssetClass]


class CatalogueError(Exception):
    """A catalogue file cannot be used; the message names file, place and cure."""


def load_catalogue(directory: Path | None = None) -> Catalogue:
    """Load the built-in classes and those of ``directory``, which win over built-in ones of the same name.

    Raises
    ------
    CatalogueError
        If a file is not YAML, breaks the schema, or the directory does not exist.
    """
    sources: list[Traversable] = _yaml_files(files("forewarn") / "catalogue")
    if directory is not None:
        if not directory.is_dir():
            msg = f"CATALOGUE_PATH: {directory} is not a directory"
            raise CatalogueError(msg)
        sources += _yaml_files(directory)
    classes = (_load(source) for source in sources)
    return MappingProxyType({asset_class.name: asset_class for asset_class in classes})


def _yaml_files(directory: Traversable) -> list[Traversable]:
    return sorted((f for f in directory.iterdir() if f.name.endswith((".yaml", ".yml"))), key=lambda f: f.name)


def _load(source: Traversable) -> AssetClass:
    try:
        asset_class = AssetClass.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
        plan(asset_class)  # every formula it names must exist before the first reading comes
    except yaml.YAMLError as exc:
        raise CatalogueError(f"{source}: not valid YAML: {exc}") from exc
    except ValidationError as exc:
        problems = "; ".join(f"{_place(error['loc'])}: {error['msg']}" for error in exc.errors())
        raise CatalogueError(f"{source}: {problems}") from exc
    except ValueError as exc:
        raise CatalogueError(f"{source}: {exc}") from exc
    return asset_class


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "document"
