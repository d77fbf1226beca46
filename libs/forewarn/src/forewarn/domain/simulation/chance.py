"""Random numbers tied to an instant: however a stream is cut, the same reading gets the same numbers."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_ULP: Final = 2.0**-53


def uniform(seed: int, stream: str, moments: NDArray[np.int64]) -> FloatArray:
    """Return numbers between 0 and 1 (exclusive), one per moment: times [µs] or counters of any shape.

    SplitMix64 (Steele, Lea, Flood 2014) of the moment, keyed by seed and stream: no state, any order.
    """
    entropy = [abs(seed), int(seed < 0), *stream.encode()]
    key = np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        mixed = (np.asarray(moments).astype(np.uint64) + np.uint64(1)) * _GOLDEN + key
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
        mixed = mixed ^ (mixed >> np.uint64(31))
    numbers: FloatArray = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) * _ULP
    return numbers


def normal(seed: int, stream: str, moments: NDArray[np.int64]) -> FloatArray:
    """Return standard normal numbers, one per moment (Box-Muller)."""
    radius = np.sqrt(-2.0 * np.log(uniform(seed, f"{stream}/radius", moments)))
    turned: FloatArray = radius * np.cos(2.0 * np.pi * uniform(seed, f"{stream}/angle", moments))
    return turned
