"""Detectors of PyOD (https://pyod.readthedocs.io), fitted to the healthy rows of one asset.

ECOD and COPOD are left out on purpose: outside the range of their training data they are nearly blind
(measured on SKAB: F1 0.03).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from forewarn.adapters.detectors.healthy_scale import HealthyScale
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.state.packing import pack, unpack

#: Needs the optional extra ``deep``.
AUTOENCODER: Final = "autoencoder"

#: A detector of PyOD, which has no types.
Detector: TypeAlias = Any

_MAGIC: Final = b"FWPYOD001"
_EPOCHS: Final = 100
_BATCH_ROWS: Final = 64


def _isolation_forest(seed: int, _shape: tuple[int, ...]) -> Detector:
    from pyod.models.iforest import IForest  # noqa: PLC0415  # takes seconds; most installations never need it

    return IForest(n_estimators=100, random_state=seed)


def _histograms(_seed: int, _shape: tuple[int, ...]) -> Detector:
    from pyod.models.hbos import HBOS  # noqa: PLC0415  # as above

    return HBOS(n_bins=10, tol=0.5)


def _principal_components(seed: int, _shape: tuple[int, ...]) -> Detector:
    from pyod.models.pca import PCA  # noqa: PLC0415  # as above

    return PCA(random_state=seed)


def _covariance(seed: int, _shape: tuple[int, ...]) -> Detector:
    from pyod.models.mcd import MCD  # noqa: PLC0415  # as above

    return MCD(random_state=seed)


def _autoencoder(seed: int, shape: tuple[int, ...]) -> Detector:
    """Make an undercomplete autoencoder: two thirds, then a third of the features must carry all of them."""
    rows, features = shape
    from pyod.models.auto_encoder import AutoEncoder  # noqa: PLC0415  # as above

    return AutoEncoder(
        hidden_neuron_list=[max(2 * features // 3, 1), max(features // 3, 1)],
        batch_norm=True,
        dropout_rate=0.1,
        epoch_num=_EPOCHS,
        batch_size=min(_BATCH_ROWS, rows),
        preprocessing=False,  # rows come scaled
        random_state=seed,
        device="cpu",
        verbose=0,
    )


#: What makes each model from a seed and the shape of the rows to fit.
PYOD_MODELS: Final[Mapping[str, Callable[[int, tuple[int, ...]], Detector]]] = MappingProxyType(
    {
        "iforest": _isolation_forest,
        "hbos": _histograms,
        "pca": _principal_components,
        "mcd": _covariance,
        AUTOENCODER: _autoencoder,
    }
)


class PyodDetector:
    """One PyOD model; implements ``Detector``.

    It keeps the healthy rows it was fitted to: with the seed they are the model, and a snapshot of them is
    small, exact and safe to read, which a pickle is not.
    """

    online = False
    protected = False

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self._seed = seed
        self._healthy: FloatArray | None = None
        self._scale: HealthyScale | None = None
        self._model: Detector = None

    def fit(self, healthy: FloatArray) -> None:
        """Fit to healthy rows."""
        self._healthy = healthy.copy()
        self._scale = HealthyScale.of(healthy)
        scaled = self._scale.apply(healthy)
        self._model = PYOD_MODELS[self.name](self._seed, scaled.shape)
        if self._scale.kept.size:
            self._model.fit(scaled)

    def score(self, rows: FloatArray) -> FloatArray:
        """Score rows; NaN if no feature varied in healthy rows."""
        if self._model is None and self._healthy is not None:
            self.fit(self._healthy)  # loaded and not used since: fitting is put off until it is
        if self._scale is None or not self._scale.kept.size or not len(rows):
            return np.full(len(rows), np.nan)
        return np.asarray(self._model.decision_function(self._scale.apply(rows)), dtype=np.float64)

    def learn(self, rows: FloatArray) -> None:
        """Do nothing: the healthy rows were learned once."""

    def dump(self) -> bytes:
        """Return the healthy rows."""
        arrays = {} if self._healthy is None else {"healthy": self._healthy}
        return pack(_MAGIC, {"name": self.name, "seed": self._seed}, arrays)

    def load(self, data: bytes) -> None:
        """Restore the healthy rows; the model is fitted when it is first used.

        Raises
        ------
        ValueError
            If the bytes are of another detector.
        """
        header, arrays = unpack(_MAGIC, data)
        if header != {"name": self.name, "seed": self._seed}:
            raise ValueError(f"snapshot of detector {header}, not of {self.name} with seed {self._seed}")
        self._healthy, self._scale, self._model = arrays.get("healthy"), None, None
