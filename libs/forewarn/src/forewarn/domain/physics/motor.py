"""Three-phase motors (NEMA MG-1). Element-wise; NaN where an input is NaN."""

from typing import Final

import numpy as np

from forewarn.domain.frame import FloatArray
from forewarn.domain.physics.energy import ratio

#: Below this mean current the motor stands still and imbalance is the transducers' zero error.
MIN_MEAN_A: Final = 1.0


def phase_imbalance_pct(phase_r: FloatArray, phase_y: FloatArray, phase_b: FloatArray) -> FloatArray:
    """Imbalance of three phase currents or voltages [%], NEMA MG-1 §14.36.

    Largest deviation from the mean over the mean (not the span over the mean, which overstates it up
    to twofold). NaN while the motor stands still.
    """
    phases = np.stack(np.broadcast_arrays(phase_r, phase_y, phase_b)).astype(np.float64, copy=False)
    mean = phases.sum(axis=0) / 3.0
    return 100.0 * ratio(np.abs(phases - mean).max(axis=0), mean, MIN_MEAN_A)
