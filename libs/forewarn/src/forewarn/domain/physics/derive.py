"""Computes an asset class's derived quantities from its tags and nameplate."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forewarn.contracts.asset_class import AssetClass, Derived
from forewarn.domain.frame import FloatArray
from forewarn.domain.physics.registry import FORMULAE, Formula

_PLATE = "nameplate."


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    formula: Formula
    columns: tuple[tuple[str, str], ...]
    plates: tuple[tuple[str, str], ...]


def derive(
    asset_class: AssetClass, columns: Mapping[str, FloatArray], nameplate: Mapping[str, FloatArray | float]
) -> dict[str, FloatArray]:
    """Compute all derived quantities, in the class's order.

    Parameters
    ----------
    asset_class
        Says what to compute.
    columns
        Every tag, each of shape (n,), NaN where unknown.
    nameplate
        Rated values, one for all rows or one per row; a field not given has the class's default.

    Returns
    -------
    dict
        Arrays of shape (n,); NaN where an input is NaN or the result is no finite number.

    Raises
    ------
    ValueError
        If the class names a formula or a parameter that does not exist.
    """
    known: dict[str, FloatArray] = dict(columns)
    plate = {field.name: field.default for field in asset_class.nameplate} | dict(nameplate)
    out: dict[str, FloatArray] = {}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # absurd inputs become NaN below
        for step in plan(asset_class):
            arguments = {parameter: known[column] for parameter, column in step.columns}
            arguments |= {parameter: np.asarray(plate[field], dtype=np.float64) for parameter, field in step.plates}
            value = step.formula(**arguments)
            known[step.name] = out[step.name] = np.where(np.isfinite(value), value, np.nan)
    return out


@lru_cache(maxsize=256)
def plan(asset_class: AssetClass) -> tuple[_Step, ...]:
    """Resolve the formulae of a class; call it early to learn of a class that cannot be computed.

    Raises
    ------
    ValueError
        If the class names a formula or a parameter that does not exist.
    """
    return tuple(_resolve(asset_class, item) for item in asset_class.derived)


def _resolve(asset_class: AssetClass, item: Derived) -> _Step:
    where = f"class {asset_class.name}, derived quantity {item.name}"
    formula = FORMULAE.get(item.function)
    if formula is None:
        raise ValueError(f"{where}: no formula {item.function!r}; there are {', '.join(sorted(FORMULAE))}")
    wanted = set(inspect.signature(formula).parameters)
    if wanted != set(item.inputs):
        raise ValueError(f"{where}: {item.function} takes {sorted(wanted)}, the class gives {sorted(item.inputs)}")
    return _Step(
        name=item.name,
        formula=formula,
        columns=tuple((p, source) for p, source in item.inputs.items() if not source.startswith(_PLATE)),
        plates=tuple((p, s.removeprefix(_PLATE)) for p, s in item.inputs.items() if s.startswith(_PLATE)),
    )
