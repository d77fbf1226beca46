"""Vibration zones of machines (ISO 10816-3:2009, ISO 20816-3:2022: same boundaries).

Group and support of a machine are never assumed: a wrong guess turns "stop" into "run". Where one is unknown there is
no zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray


class Group(IntEnum):
    """Machine groups of ISO 20816-3."""

    LARGE = 1  #: above 300 kW up to 50 MW, or shaft height from 315 mm
    MEDIUM = 2  #: above 15 up to 300 kW, or shaft height from 160 to 315 mm


class Support(IntEnum):
    """Support class, in the direction of measurement: rigid if it resonates 25 % above the main excitation."""

    RIGID = 1
    FLEXIBLE = 2


class Zone(IntEnum):
    """Evaluation zones."""

    A = 1  #: newly commissioned machines
    B = 2  #: fit for unrestricted long-term operation
    C = 3  #: unfit for continuous operation; may run until it can be repaired
    D = 4  #: severe enough to damage the machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """Boundaries between the zones: r.m.s. velocity, 10–1000 Hz [mm/s], and displacement [µm].

    A value on a boundary belongs to the worse zone.
    """

    velocity_mm_s: tuple[float, float, float]
    displacement_um: tuple[float, float, float]

    @property
    def significant_change_mm_s(self) -> float:
        """Return the change, up or down, that requires an explanation: 25 % of B/C."""
        return 0.25 * self.velocity_mm_s[1]

    def alarm_mm_s(self, baseline_mm_s: float) -> float:
        """Return a machine's alarm limit: its baseline and a significant change, at most 1.25 times B/C."""
        return min(baseline_mm_s + self.significant_change_mm_s, 1.25 * self.velocity_mm_s[1])

    @property
    def trip_mm_s(self) -> float:
        """Return the highest trip limit: 1.25 times C/D, whatever the baseline."""
        return 1.25 * self.velocity_mm_s[2]


#: ISO 10816-3 tables A.1 and A.2, from secondary sources: the standard is not freely available.
BOUNDARIES: Final[Mapping[tuple[Group, Support], Boundaries]] = MappingProxyType(
    {
        (Group.LARGE, Support.RIGID): Boundaries(velocity_mm_s=(2.3, 4.5, 7.1), displacement_um=(29.0, 57.0, 90.0)),
        (Group.LARGE, Support.FLEXIBLE): Boundaries(
            velocity_mm_s=(3.5, 7.1, 11.0), displacement_um=(45.0, 90.0, 140.0)
        ),
        (Group.MEDIUM, Support.RIGID): Boundaries(velocity_mm_s=(1.4, 2.8, 4.5), displacement_um=(22.0, 45.0, 71.0)),
        (Group.MEDIUM, Support.FLEXIBLE): Boundaries(
            velocity_mm_s=(2.3, 4.5, 7.1), displacement_um=(37.0, 71.0, 113.0)
        ),
    }
)


def vibration_zone(vibration_mm_s: FloatArray, iso_group: FloatArray, iso_support: FloatArray) -> FloatArray:
    """Return the zone of a broadband r.m.s. velocity: 1 to 4 for A to D.

    Groups are 1 and 2, supports 1 (rigid) and 2 (flexible); NaN where anything is unknown, and for a negative velocity.
    """
    return _zone(vibration_mm_s, iso_group, iso_support, {at: b.velocity_mm_s for at, b in BOUNDARIES.items()})


def displacement_zone(displacement_um: FloatArray, iso_group: FloatArray, iso_support: FloatArray) -> FloatArray:
    """Return the zone of an r.m.s. displacement like ``vibration_zone``; the stricter of both zones counts (§5.2.3)."""
    return _zone(displacement_um, iso_group, iso_support, {at: b.displacement_um for at, b in BOUNDARIES.items()})


def _zone(
    values: FloatArray,
    iso_group: FloatArray,
    iso_support: FloatArray,
    boundaries: Mapping[tuple[Group, Support], tuple[float, ...]],
) -> FloatArray:
    values, group, support = np.broadcast_arrays(values, iso_group, iso_support)
    zone = np.full(values.shape, np.nan)
    for (of_group, of_support), edges in boundaries.items():
        here = (group == of_group) & (support == of_support) & (values >= 0.0)
        zone[here] = 1.0 + np.searchsorted(edges, values[here], side="right")
    return zone
