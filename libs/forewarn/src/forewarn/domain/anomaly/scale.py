"""From the magnitude of smoothed residuals to a score of 0–100."""

from typing import Final

from forewarn.domain.frame import FloatArray

#: Score at which a lasting anomaly is flagged; bands: 70–85 warning, above 85 critical.
FLAG_SCORE: Final = 70.0

_ODDS_AT_FLAG: Final = FLAG_SCORE / (100.0 - FLAG_SCORE)
_BEND: Final = 0.1


def score_of(ratio: FloatArray) -> FloatArray:
    """Map magnitude / (magnitude at which the flag goes on) to 0–100.

    The odds score/(100 − score) grow with the cube of the ratio while it is near 1, so that healthy
    machines score low, and with its square root when large: the score never reaches 100 and float32 keeps
    apart magnitudes up to a million times the flag's. Anchors: ratio 0.4 gives 14, 0.83 (the threshold at
    default settings) 58, 1 gives 70, 1.40 gives 85, 10 gives 99.2.
    """
    odds = _ODDS_AT_FLAG * ratio**3 * ((1.0 + _BEND) / (1.0 + _BEND * ratio**2)) ** 1.25
    return 100.0 * odds / (1.0 + odds)
