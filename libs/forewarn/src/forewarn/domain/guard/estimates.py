"""Derived quantities of machines that do not measure all of their inputs.

A tag may name a nameplate field as its fallback. The field replaces the tag where the asset has never sent it. A sensor
that fails later stays unknown: an estimate would make its failure look like a change of the machine. Estimates never
judge a reading; physics rules see only measured values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import PLATE_PREFIX, AssetClass
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.derive import derive
from forewarn.domain.physics.units import Conversion, conversion


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """The nameplate field that replaces a tag, and the conversion to the tag's unit."""

    tag: str
    position: int
    field: str
    conversion: Conversion


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Estimates:
    """Derived quantities, estimated where not measured, and which ones are estimates."""

    derived: Mapping[str, FloatArray]  #: Derived quantities by name.
    #: Where they are estimates, shape (rows, ``len(estimable(asset_class))``), or (rows, 0) if nowhere.
    flags: NDArray[np.bool_]

    @classmethod
    def none(cls, measured: Mapping[str, FloatArray], rows: int) -> "Estimates":
        """Return the quantities without any estimate."""
        return cls(derived=measured, flags=np.zeros((rows, 0), dtype=np.bool_))


@lru_cache(maxsize=256)
def fallbacks(asset_class: AssetClass) -> tuple[Fallback, ...]:
    """Return every fallback of a class."""
    units = {field.name: field.unit for field in asset_class.nameplate}
    named = (
        (i, tag, tag.fallback.removeprefix(PLATE_PREFIX)) for i, tag in enumerate(asset_class.tags) if tag.fallback
    )
    return tuple(
        Fallback(tag=tag.name, position=i, field=field, conversion=conversion(units[field], tag.unit))
        for i, tag, field in named
    )


@lru_cache(maxsize=256)
def estimable(asset_class: AssetClass) -> Mapping[str, tuple[str, ...]]:
    """Return the derived quantities that may be estimates, with the tags that a nameplate may replace."""
    behind: dict[str, tuple[str, ...]] = {item.tag: (item.tag,) for item in fallbacks(asset_class)}
    for item in asset_class.derived:
        tags = tuple(dict.fromkeys(tag for source in item.inputs.values() for tag in behind.get(source, ())))
        if tags:
            behind[item.name] = tags
    return MappingProxyType({name: behind[name] for name in asset_class.derived_names if name in behind})


def estimate(
    asset_class: AssetClass,
    columns: Mapping[str, FloatArray],
    measured: Mapping[str, FloatArray],
    plate: Mapping[str, FloatArray],
    stated: Mapping[str, FloatArray],
    never_sent: NDArray[np.bool_],
) -> Estimates:
    """Estimate quantities that lack a tag the asset does not have; arrays of shape (n,).

    ``measured`` was derived from the tags in ``columns`` alone. ``plate`` holds rated values for ``derive``, ``stated``
    the fallback fields, NaN or 0 where the asset does not state them. ``never_sent``, shape (n, tags), marks tags that
    the asset has not sent up to the row.
    """
    stand_ins: dict[str, FloatArray] = {}
    for item in fallbacks(asset_class):
        value = stated[item.field]
        usable = never_sent[:, item.position] & np.isfinite(value) & (value != 0)
        if usable.any():
            rated = value * item.conversion.factor + item.conversion.offset
            stand_ins[item.tag] = np.where(usable, rated, columns[item.tag])
    if not stand_ins:
        return Estimates.none(measured, never_sent.shape[0])
    guessed = derive(asset_class, {**columns, **stand_ins}, plate)
    names = tuple(estimable(asset_class))
    flags = np.zeros((never_sent.shape[0], len(names)), dtype=np.bool_)
    derived = dict(measured)
    for position, name in enumerate(names):
        flags[:, position] = np.isnan(measured[name]) & ~np.isnan(guessed[name])
        derived[name] = np.where(flags[:, position], guessed[name], measured[name])
    return Estimates(derived=derived, flags=flags)
