"""Direction in which each response of a class moves when a machine fails, where the class defines it.

A class names what it watches: indicators of failure modes, alarm limits, health metrics. A response is a symptom in the
direction that takes one of these to its bad side, directly or through a derived quantity. So is a response in the unit
of a watched tag, in the same direction (the bearing at the other end), and vibration that rises. A machine does not
heal: a tag that deviates the other way, alone, is more likely a wrong reading.

That holds where the drivers fix the operating point. In a class without drivers each tag is expected from the others,
and the process can move one of them alone: a closing valve changes only the flow.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.physics.derive import derive

_POINTS: Final = 64
_STEP: Final = 0.01  # of a tag's engineering range
_CLEAR: Final = 0.9  # share of the points that must agree: some are impossible states
_GOLDEN: Final = (5.0**0.5 - 1.0) / 2.0

#: Units of vibration only.
_VIBRATION_UNITS: Final = frozenset({"mm/s", "um", "m/s2", "[g]"})

#: Units that do not identify the kind of quantity.
_BARE_UNITS: Final = frozenset({"1", "%"})

DOWN, UP = range(2)


@lru_cache(maxsize=256)
def symptoms_of(asset_class: AssetClass) -> NDArray[np.bool_]:
    """Return whether a falling (row ``DOWN``) or rising (row ``UP``) response can mean a fault, shape (2, responses).

    Both where the direction is unknown, and for all of a class without drivers: blaming the machine for a sensor is
    better than the reverse.
    """
    if not asset_class.twin.drivers:
        return np.ones((2, len(asset_class.twin.responses)), dtype=np.bool_)
    watched = tuple(_watched(asset_class))
    units = asset_class.units
    alike = {(units[name], high) for name, high in watched if name in asset_class.tag_names}
    alike = {(unit, high) for unit, high in alike if unit not in _BARE_UNITS} | {(u, True) for u in _VIBRATION_UNITS}
    found = np.zeros((2, len(asset_class.twin.responses)), dtype=np.bool_)
    for place, response in enumerate(asset_class.twin.responses):
        gains = _gains(asset_class, response)
        found[UP, place] = (units[response], True) in alike
        found[DOWN, place] = (units[response], False) in alike
        for column, high in watched:
            rises, falls = gains.get(column, (False, False))
            found[UP, place] |= rises if high else falls
            found[DOWN, place] |= falls if high else rises
    return found


def _watched(asset_class: AssetClass) -> Iterator[tuple[str, bool]]:
    """Return columns and whether high is bad; a column that is, or may be, bad both ways comes twice."""
    for rule in asset_class.alarms:
        if rule.column is not None and rule.high is not None:
            yield rule.column, True
        if rule.column is not None and rule.low is not None:
            yield rule.column, False
    limited = {rule.column for rule in asset_class.alarms}
    for column in (*(mode.indicator for mode in asset_class.failure_modes), *asset_class.health_columns):
        high = asset_class.fails_high(column)
        if high is not None:
            yield column, high
        elif column not in limited:
            yield from ((column, True), (column, False))


def _gains(asset_class: AssetClass, response: str) -> Mapping[str, tuple[bool, bool]]:
    """Return columns computed from a response, and whether they rise and fall with it when it rises."""
    showing = {response}
    for item in asset_class.derived:  # each after its inputs
        if not showing.isdisjoint(item.inputs.values()):
            showing.add(item.name)
    gains = dict.fromkeys(showing, (True, True)) | {response: (True, False)}
    if response in asset_class.tag_names:
        before, after = _derived(asset_class, None), _derived(asset_class, response)
        gains |= {name: _direction(after[name] - before[name]) for name in showing - {response}}
    return gains


def _derived(asset_class: AssetClass, raised: str | None) -> Mapping[str, FloatArray]:
    """Derive quantities at points all over the engineering ranges, one tag raised by a step."""
    columns = {}
    for number, tag in enumerate(asset_class.tags):
        low, high = tag.engineering_range
        # Additive recurrence: even coverage, an irrational number per tag, and the same in every process.
        place = (np.arange(1, _POINTS + 1) * (_GOLDEN + np.sqrt(number + 2.0))) % 1.0
        columns[tag.name] = low + (high - low) * (place + _STEP * (tag.name == raised))
    # A rated value of 0 means "not stated"; its size does not affect the direction.
    return derive(asset_class, columns, {item.name: item.default or 1.0 for item in asset_class.nameplate})


def _direction(change: FloatArray) -> tuple[bool, bool]:
    """Return whether a quantity rises and whether it falls; both if that depends on the point or is unknown."""
    known = change[np.isfinite(change) & (change != 0.0)]
    if not known.size:
        unmoved = bool((change == 0.0).any())
        return (not unmoved, not unmoved)
    rising = float((known > 0.0).mean())
    return rising > 1.0 - _CLEAR, rising < _CLEAR
