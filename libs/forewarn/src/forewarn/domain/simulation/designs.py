"""Check whether a machine of a design is possible."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from forewarn.domain.physics.constants import STANDARD_ATMOSPHERE_BAR, ZERO_CELSIUS_K
from forewarn.domain.physics.registry import nearest
from forewarn.domain.simulation.machine import Kind, Surroundings

#: Exclusive lower bounds by unit suffix (absolute zero, vacuum); 0 for all others.
_ABOVE: Final = MappingProxyType({"_c": -ZERO_CELSIUS_K, "_bar": -STANDARD_ATMOSPHERE_BAR})

#: Parts of names of fractions of a whole.
_SHARES: Final = ("efficiency", "share", "slip")

_STEP_S: Final = 60.0


def design_problems(kind: Kind, given: Mapping[str, float]) -> list[str]:
    """Return reasons why a machine cannot be built: unknown fields, impossible sizes, or no readings.

    ``given`` are fields of the kind's design that differ from its defaults.
    """
    known = [field.name for field in dataclasses.fields(kind.design())]
    problems = [f"design has no field {name!r}{nearest(name, known)}" for name in given if name not in known]
    for name, value in given.items():
        least = next((low for end, low in _ABOVE.items() if name.endswith(end)), 0.0)
        if not value > least:
            problems.append(f"design.{name} must be above {least:g}, not {value:g}")
        elif any(part in name for part in _SHARES) and not value < 1.0:
            problems.append(f"design.{name} is a share: it must be below 1, not {value:g}")
    return problems or _silent(kind, given)


def _silent(kind: Kind, given: Mapping[str, float]) -> list[str]:
    """Return tags without a reading at full demand."""
    surroundings = Surroundings(
        demand=np.ones(1), ambient_temp_c=np.full(1, 22.0), relative_humidity_pct=np.full(1, 58.0)
    )
    with np.errstate(all="ignore"):  # NaN results are expected here
        _, values = kind.step(
            kind.design(**given),
            kind.start,
            dt_s=_STEP_S,
            surroundings=surroundings,
            faults={},
            rng=np.random.default_rng(0),
        )
    silent = [tag for tag, readings in values.items() if not np.isfinite(readings).all()]
    return [f"a machine of this design has no {', '.join(silent)}: its values contradict each other"] if silent else []
