"""What smoothed residuals of a healthy asset look like, and four ways in which new ones can be unusual.

Four magnitudes are computed for every row, because faults show in different ways:

* LEVEL: root mean square of the smoothed residuals, each in its healthy spread.
* PATTERN: their Mahalanobis distance (Mahalanobis 1936), for tags that usually move together and now do not.
* PEAK: the single response farthest out, in its own healthy tail: one tag of sixty must not drown in the mean.
* JUMP: root mean square of short means of r(t) − c·r(t − 1) (Box & Jenkins 1970: the innovations of a first-order
  autoregression). A tag that wanders through any baseline can be judged only by its changes.

Each is divided by its own healthy tail; the largest of the four is the size of the row. A magnitude whose healthy
values scatter widely from block to block thus counts for little.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

LEVEL, PATTERN, JUMP, PEAK = range(4)
CHANNELS: Final = 4

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Norms:
    """Healthy norms of assets side by side; the first axis of every array is the asset."""

    #: Healthy spread of each response's smoothed residuals and smoothed innovations; (assets, responses). The first is
    #: infinite for a response that wanders or that no model judges: its level says nothing.
    level_scale: FloatArray
    #: Healthy mean square of both in that spread, used for unknown responses.
    level_usual: FloatArray
    jump_scale: FloatArray
    jump_usual: FloatArray
    persistence: FloatArray  #: c of each response.
    peak_scale: FloatArray  #: Healthy tail of the size of each response in ``level_scale``.
    #: Lower triangle, row by row, of the inverse Cholesky factor of the correlation of residuals.
    whitener: Float32Array
    tails: FloatArray  #: Healthy tail of each magnitude, infinite for one that is not used; (assets, CHANNELS).
    flag_at: FloatArray  #: Size at which the flag goes on.

    @classmethod
    def blank(cls, assets: int, responses: int) -> "Norms":
        """Return norms of assets about which nothing is known."""
        each = np.zeros((assets, responses))
        return cls(
            level_scale=each + 1.0,
            level_usual=each,
            jump_scale=each + 1.0,
            jump_usual=each,
            persistence=each,
            peak_scale=each + 1.0,
            whitener=np.zeros((assets, responses * (responses + 1) // 2), dtype=np.float32),
            tails=np.tile(np.array([1.0, np.inf, np.inf, np.inf]), (assets, 1)),
            flag_at=np.ones(assets),
        )


NORM_ARRAYS: Final = tuple(item.name for item in fields(Norms))


def magnitudes(norms: Norms, asset: NDArray[np.intp], levels: FloatArray, jumps: FloatArray) -> FloatArray:
    """Compute each row's magnitudes in their healthy tails, shape (CHANNELS, rows); NaN where unknown.

    ``levels`` and ``jumps`` are smoothed residuals and innovations, shape (rows, responses); NaN where unknown.
    """
    z = levels / norms.level_scale[asset]
    out = np.empty((CHANNELS, len(levels)))
    out[LEVEL] = root_mean_square(z, norms.level_usual[asset])
    known = np.isfinite(norms.tails[:, PATTERN]).any()
    out[PATTERN] = pattern(norms.whitener, asset, weighed(norms, asset, levels)) if known else np.nan
    jump = root_mean_square(jumps / norms.jump_scale[asset], norms.jump_usual[asset])
    out[JUMP] = np.where(np.isnan(out[LEVEL]), np.nan, jump)  # right after a gap a change alone says nothing
    out[PEAK] = peak(z, norms.peak_scale[asset])
    out /= norms.tails[asset].T
    return out


def weighed(norms: Norms, asset: NDArray[np.intp], levels: FloatArray) -> FloatArray:
    """Divide smoothed residuals by their healthy spread; 0 where that is infinite, even for unknown responses.

    A sensor that a machine never had must not hide the pattern of all others.
    """
    scale = norms.level_scale[asset]
    z: FloatArray = np.where(np.isinf(scale), 0.0, levels / scale)
    return z


def peak(z: FloatArray, scale: FloatArray) -> FloatArray:
    """Return the largest response of each row, in healthy tails; NaN if none is known."""
    largest = np.full(len(z), np.nan)
    for response, tail in zip(z.T, scale.T, strict=True):
        np.fmax(largest, np.abs(response) / tail, out=largest)
    return largest


def root_mean_square(z: FloatArray, usual: FloatArray) -> FloatArray:
    """Return the root mean square of each row, unknown responses counted as usual; NaN if none is known.

    Summed response by response: the sum of a row must not depend on the number of rows.
    """
    total, count = np.zeros(len(z)), np.zeros(len(z))
    for response, stand_in in zip(z.T, usual.T, strict=True):
        known = ~np.isnan(response)
        total += np.where(known, response * response, stand_in)
        count += known
    mean: FloatArray = np.where(count > 0, np.sqrt(total / max(z.shape[1], 1)), np.nan)
    return mean


def pattern(whitener: Float32Array, asset: NDArray[np.intp], z: FloatArray) -> FloatArray:
    """Return each row's Mahalanobis distance per square root of responses; NaN where a response is unknown."""
    total = np.zeros(len(z))
    for white in whitened(whitener, asset, z):
        total += white * white
    distance: FloatArray = np.sqrt(total / max(z.shape[1], 1))
    return distance


def whitened(whitener: Float32Array, asset: NDArray[np.intp], z: FloatArray) -> list[FloatArray]:
    """Decorrelate rows; one array per dimension."""
    one = whitener.shape[0] == 1
    own = whitener[0] if one else whitener.take(asset, axis=0).T
    columns = np.ascontiguousarray(z.T)
    out, place = [], 0
    for dimension in range(z.shape[1]):
        white = np.zeros(len(z))
        for column in columns[: dimension + 1]:
            white += own[place].astype(np.float64) * column
            place += 1
        out.append(white)
    return out


def pattern_shares(whitener: Float32Array, asset: NDArray[np.intp], z: FloatArray) -> FloatArray:
    """Return each response's contribution to the squared distance, never negative, shape (rows, responses)."""
    back = np.zeros(z.shape)
    factor = whitener.take(asset, axis=0).astype(np.float64)
    place = 0
    for dimension, white in enumerate(whitened(whitener, asset, z)):
        for column in range(dimension + 1):
            back[:, column] += factor[:, place] * white
            place += 1
    shares: FloatArray = np.maximum(back * z, 0.0)
    return shares


def whitener_of(z: FloatArray, least: float) -> Float32Array:
    """Fit the whitener of healthy, fully known rows, shape (rows, responses); ``least`` is the least shrinkage.

    Shrunk as in Ledoit & Wolf (2004), by a share that grows as rows become few for the number of responses.
    """
    width = z.shape[1]
    clipped = np.clip(z, -5.0, 5.0)  # a few wild rows must not define the pattern
    covariance = np.atleast_2d(clipped.T @ clipped) / max(len(z), 1)
    share = min(1.0, max(least, 0.1))
    variance = np.maximum(np.diag(covariance), 1e-6)
    covariance = (1.0 - share) * covariance
    covariance[np.diag_indices(width)] = variance * (1.0 + 1e-6)
    factor = np.linalg.inv(np.linalg.cholesky(covariance))
    return factor[np.tril_indices(width)].astype(np.float32)
