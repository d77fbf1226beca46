"""Side panel of the asset page: nameplate."""

import re
from typing import Final

from forewarn.domain.physics.unit_symbols import unit_symbol
from forewarn_dashboard.components import definition_list
from forewarn_dashboard.details import AssetProfile
from forewarn_dashboard.formatting import number
from forewarn_dashboard.scene import Node
from forewarn_dashboard.viewmodels import class_title

_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")


def nameplate(detail: AssetProfile) -> Node:
    """Draw class, place, criticality and rated values."""
    stated = detail.asset.nameplate
    facts = [
        ("Class", f"{detail.asset_class.title}, version {detail.asset_class.version}"),
        ("Place", " / ".join(detail.asset.path) or "–"),
        ("Criticality", f"{detail.asset.criticality} of 5"),
    ]
    facts += [
        (field_title(field.name, field.unit), _rated(stated.get(field.name, field.default), field.unit))
        for field in detail.asset_class.nameplate
    ]
    return definition_list(facts)


def _rated(value: float, unit: str) -> str:
    """Return a rated value; 0 means not stated (ADR 0011)."""
    text = f"{value:.0f}" if value.is_integer() and abs(value) < 10_000 else number(value)
    return f"{text} {unit_symbol(unit)}".strip() if value else "not stated"


def field_title(name: str, unit: str) -> str:
    """Return the name of a rated value, without its unit suffix."""
    suffix = _NOT_IN_NAMES.sub("_", unit.lower().replace("%", "pct")).strip("_")
    title = class_title(name.removesuffix(f"_{suffix}"))
    return title.replace("Iso ", "ISO ")
