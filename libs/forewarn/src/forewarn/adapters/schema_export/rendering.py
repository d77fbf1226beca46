"""All generated files of ``schemas/`` at once."""

import json
from collections.abc import Mapping
from typing import Any

from forewarn.adapters.catalogue import Catalogue
from forewarn.adapters.schema_export.asyncapi import asyncapi_document
from forewarn.adapters.schema_export.events import (
    asset_class_schema,
    event_contracts,
    event_path,
    event_schema,
    plant_schema,
)
from forewarn.adapters.schema_export.frames import frame_descriptions
from forewarn.adapters.schema_export.guard_page import guard_page
from forewarn.adapters.schema_export.page import contracts_page


def render(catalogue: Catalogue, version: str) -> dict[str, str]:
    """Return every generated file by its path relative to ``schemas/``; same input, same text."""
    documents: dict[str, Mapping[str, Any]] = {
        **{event_path(contract): event_schema(contract) for contract in event_contracts().values()},
        **dict(frame_descriptions(catalogue)),
        "asset_class.schema.json": asset_class_schema(),
        "plant.schema.json": plant_schema(),
        "asyncapi.json": asyncapi_document(catalogue, version),
    }
    pages = {"README.md": contracts_page(), "guard-rules.md": guard_page(catalogue)}
    return {path: to_text(document) for path, document in documents.items()} | pages


def to_text(document: Mapping[str, Any]) -> str:
    """Return JSON as it is committed: sorted, indented, one trailing newline."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
