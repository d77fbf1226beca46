"""Encodes the readings of a fleet of healthy pumps ahead of time."""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.pump import PUMP, PUMP_TAGS, PumpDesign
from forewarn.domain.simulation.weather import Climate

_PERIOD_S: Final = 1200.0
#: The cycle is sent over and over: its end must meet its beginning.
_SAME_EVERY_DAY: Final = Climate(season_swing_k=0.0).without_fronts()
_SPREAD: Final = 0.3  # rated flows and heads lie this far around the default


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Pieces of messages: a message is ``heads[a] + time + bodies[i][a] + seq + tail``.

    ``heads`` has the start of each asset's messages, up to the opening quote of the time; ``bodies``, for each sample
    of the cycle and asset, the part from the closing quote of the time to the counter.
    """

    keys: list[bytes]
    heads: list[bytes]
    bodies: list[list[bytes]]


TAIL: Final = b',"source":"load"}'


def encode_cycle(asset_ids: list[str], *, tags: int, samples: int, rng: np.random.Generator) -> Cycle:
    """Return one simulated, shortened day of every pump, encoded.

    Pumps differ in size and time of the day; a reading has the first ``tags`` of ``PUMP_TAGS``. The day has ``samples``
    and ends where it began.

    Raises ``ValueError`` if a pump does not have that many tags.
    """
    if not 1 <= tags <= len(PUMP_TAGS):
        raise ValueError(f"a pump has 1 to {len(PUMP_TAGS)} tags, not {tags}")
    count, dt_s = len(asset_ids), _PERIOD_S / samples
    design = _designs(count, rng)
    profile, phase_s = Profile(period_s=_PERIOD_S, climate=_SAME_EVERY_DAY), rng.uniform(0, _PERIOD_S, count)
    state, bodies, encode = PUMP.start, [], msgspec.json.Encoder().encode
    for sample in range(-samples, samples):  # a day to warm up, so that the bearings close the cycle too
        surroundings = profile.at(phase_s + sample * dt_s)
        state, values = PUMP.step(design, state, dt_s=dt_s, surroundings=surroundings, faults={}, rng=rng)
        if sample < 0:
            continue
        rows = np.column_stack([values[tag] for tag in PUMP_TAGS[:tags]]).tolist()
        bodies.append([b'","metrics":' + encode(dict(zip(PUMP_TAGS, row, strict=False))) + b',"seq":' for row in rows])
    return Cycle(
        keys=[asset_id.encode() for asset_id in asset_ids],
        heads=[b'{"asset_id":"' + asset_id.encode() + b'","ts":"' for asset_id in asset_ids],
        bodies=bodies,
    )


def _designs(count: int, rng: np.random.Generator) -> PumpDesign:
    return PumpDesign(
        rated_flow_m3_h=120.0 * rng.uniform(1 - _SPREAD, 1 + _SPREAD, count),
        rated_head_m=45.0 * rng.uniform(1 - _SPREAD, 1 + _SPREAD, count),
        vibration_mm_s=rng.uniform(1.2, 2.0, count),
    )
