"""The twin's expectation of each failure mode's indicator: direct for a tag, computed for a derived quantity."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import expected_column
from forewarn.domain.frames.arrivals import Arrivals
from forewarn.domain.frames.frame import FloatArray, Frame
from forewarn.domain.health.profile import HealthProfile
from forewarn.domain.physics.derive import derive


def expected_indicators(frame: Frame, rows: Arrivals, profiles: Sequence[HealthProfile]) -> dict[str, FloatArray]:
    """Return the expected value of every failure mode's indicator in these rows, by name; NaN where unknown.

    A derived quantity is computed from measured drivers and expected responses, with the nameplate of each asset's
    profile. There is no expectation where no response enters, or where the operating point itself fails: the twin would
    expect the failure.
    """
    asset_class = frame.asset_class
    found = {
        name: _column(frame, expected_column(name), rows.rows)
        for name in _indicators(asset_class)
        if name in asset_class.twin.responses
    }
    derived = _derived_indicators(asset_class)
    if derived:
        found |= _derive(frame, rows, profiles, derived)
    return found


def _derive(
    frame: Frame, rows: Arrivals, profiles: Sequence[HealthProfile], wanted: frozenset[str]
) -> dict[str, FloatArray]:
    asset_class = frame.asset_class
    responses = frozenset(asset_class.twin.responses)
    columns = {
        name: _column(frame, expected_column(name) if name in responses else name, rows.rows)
        for name in asset_class.tag_names
    }
    fields = [field.name for field in asset_class.nameplate]
    counts = np.diff(rows.starts)
    plate = {name: np.repeat(np.array([profile.nameplate[name] for profile in profiles]), counts) for name in fields}
    found = derive(asset_class, columns, plate, wanted=wanted)
    return {name: found[name] for name in wanted}


def _column(frame: Frame, name: str, rows: NDArray[np.intp]) -> FloatArray:
    return np.asarray(frame.arrays[name][rows], dtype=np.float64)


@lru_cache(maxsize=256)
def _derived_indicators(asset_class: AssetClass) -> frozenset[str]:
    """Return indicators that are derived quantities computed from a response."""
    expected = set(asset_class.twin.responses)
    for item in asset_class.derived:  # each after its inputs
        if not expected.isdisjoint(item.inputs.values()):
            expected.add(item.name)
    return frozenset(_indicators(asset_class) & expected & set(asset_class.derived_names))


def _indicators(asset_class: AssetClass) -> set[str]:
    """Return indicators that are judged at the usual operating point."""
    return {mode.indicator for mode in asset_class.failure_modes if not mode.of_operation}
