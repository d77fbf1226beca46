"""Distance from the healthy mean in healthy standard deviations."""

from typing import Final

import numpy as np

from forewarn.adapters.detectors.healthy_scale import HealthyScale
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.state.packing import pack, unpack

_MAGIC: Final = b"FWZSCORE1"


class ZScore:
    """Root mean square of the features' z-scores; implements ``Detector``."""

    name = "zscore"
    online = False
    protected = False

    def __init__(self) -> None:
        self._scale: HealthyScale | None = None

    def fit(self, healthy: FloatArray) -> None:
        """Learn mean and spread."""
        self._scale = HealthyScale.of(healthy)

    def score(self, rows: FloatArray) -> FloatArray:
        """Score rows; NaN if no feature varied in healthy rows."""
        if self._scale is None or not self._scale.kept.size:
            return np.full(len(rows), np.nan)
        score: FloatArray = np.sqrt((self._scale.apply(rows) ** 2).mean(axis=1))
        return score

    def learn(self, rows: FloatArray) -> None:
        """Do nothing: mean and spread were learned once."""

    def dump(self) -> bytes:
        """Return mean and spread."""
        scale = self._scale
        arrays = {} if scale is None else {"kept": scale.kept, "centre": scale.centre, "spread": scale.spread}
        return pack(_MAGIC, None, arrays)

    def load(self, data: bytes) -> None:
        """Restore mean and spread."""
        _, arrays = unpack(_MAGIC, data)
        self._scale = HealthyScale(arrays["kept"], arrays["centre"], arrays["spread"]) if arrays else None
