"""Descriptions of the frames' Arrow columns, for readers in other languages."""

from collections.abc import Iterator
from typing import Any

from forewarn.adapters.catalogue import Catalogue
from forewarn.adapters.frames.schema import arrow_schema
from forewarn.adapters.schema_export.events import NOTICE
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind, frame_columns


def frame_path(kind: FrameKind, asset_class: AssetClass) -> str:
    """Return the path of a frame's description, relative to ``schemas/``."""
    return f"frames/{kind.value}.{asset_class.name}.json"


def frame_descriptions(catalogue: Catalogue) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return path and description of every kind of frame of every class."""
    for asset_class in catalogue.values():
        for kind in FrameKind:
            yield frame_path(kind, asset_class), frame_description(kind, asset_class)


def frame_description(kind: FrameKind, asset_class: AssetClass) -> dict[str, Any]:
    """Return columns in wire order with Arrow type, unit and meaning, and the frame's identifying metadata."""
    schema = arrow_schema(kind, asset_class)
    return {
        "$comment": NOTICE,
        "title": f"{asset_class.title}: frame {kind.value}",
        "encoding": "Apache Arrow IPC stream, one record batch",
        "metadata": {key.decode(): value.decode() for key, value in schema.metadata.items()},
        "columns": [
            {
                "name": column.name,
                "type": str(schema.field(column.name).type),
                "unit": column.unit,
                "description": column.description,
            }
            for column in frame_columns(kind, asset_class)
        ],
    }
