"""Map the magnitude of smoothed residuals to a score of 0–100."""

from typing import Final

from forewarn.contracts.health import AnomalyBand
from forewarn.domain.frames.frame import FloatArray

#: Score at which a lasting anomaly is flagged: the "warning" band begins.
FLAG_SCORE: Final = 70.0

#: The "critical" band begins above.
CRITICAL_SCORE: Final = 85.0

_ODDS_AT_FLAG: Final = FLAG_SCORE / (100.0 - FLAG_SCORE)
_BEND: Final = 0.1


def score_of(ratio: FloatArray) -> FloatArray:
    """Map magnitude / (magnitude at which the flag goes on) to 0–100.

    The odds score/(100 − score) grow with the cube of the ratio while it is near 1, so that healthy machines score low,
    and with its square root when it is large: the score never reaches 100, and float32 separates magnitudes up to a
    million times the flag's. Anchors: ratio 0.4 gives 14, 0.83 (the threshold at default settings) 58, 1 gives 70, 1.40
    gives 85, 10 gives 99.2.
    """
    odds = _ODDS_AT_FLAG * ratio**3 * ((1.0 + _BEND) / (1.0 + _BEND * ratio**2)) ** 1.25
    return 100.0 * odds / (1.0 + odds)


def band_of(score: float) -> AnomalyBand:
    """Return the band of an anomaly score: monitoring below 70, warning to 85, critical above.

    The flag needs the score to persist, so the two may differ for a few readings.
    """
    if score < FLAG_SCORE:
        return "monitoring"
    return "warning" if score <= CRITICAL_SCORE else "critical"
