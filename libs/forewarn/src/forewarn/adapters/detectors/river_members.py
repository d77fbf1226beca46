"""Online detectors of River (https://riverml.xyz)."""

from typing import Any, Final

import numpy as np
from river.anomaly import HalfSpaceTrees
from river.drift import ADWIN

from forewarn.adapters.detectors.healthy_scale import HealthyScale
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.state.packing import pack, unpack

_TREES_MAGIC: Final = b"FWHST0001"
_DRIFT_MAGIC: Final = b"FWADWIN01"

_TREES: Final = 25
_HEIGHT: Final = 8
_WINDOW: Final = 100
_EDGE: Final = 6.0  # healthy standard deviations that map to the edges 0 and 1 of what the trees split


class HalfSpace:
    """Half-space trees (Tan, Ting & Liu 2011); implements ``Detector``.

    They split the cube [0, 1]: the healthy mean lies in its middle and its faces six healthy standard
    deviations out, so that faults have room inside. They forget: learning from a fault would make it normal, so
    callers must not let them.
    """

    name = "half_space_trees"
    online = True
    protected = True

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._scale: HealthyScale | None = None
        self._trees = self._plant()
        self._learned = 0

    def _plant(self) -> Any:  # noqa: ANN401  # River's attributes have no types
        return HalfSpaceTrees(n_trees=_TREES, height=_HEIGHT, window_size=_WINDOW, seed=self._seed)

    def fit(self, healthy: FloatArray) -> None:
        """Learn from healthy rows, oldest first."""
        self._scale = HealthyScale.of(healthy)
        self._trees = self._plant()
        self._learned = 0
        self.learn(healthy)

    def score(self, rows: FloatArray) -> FloatArray:
        """Score rows; NaN until a first window has been learned."""
        if self._scale is None or not self._scale.kept.size or self._learned < _WINDOW:
            return np.full(len(rows), np.nan)
        return np.array([float(self._trees.score_one(point)) for point in self._points(self._scale, rows)])

    def learn(self, rows: FloatArray) -> None:
        """Learn from rows, oldest first."""
        if self._scale is None or not self._scale.kept.size:
            return
        for point in self._points(self._scale, rows):
            self._trees.learn_one(point)
        self._learned += len(rows)

    def dump(self) -> bytes:
        """Return scaling and the masses of all nodes; the trees' shape follows from the seed."""
        header = {"seed": self._seed, "learned": self._learned, "counter": self._trees.counter}
        arrays = {}
        if self._scale is not None:
            arrays = {"kept": self._scale.kept, "centre": self._scale.centre, "spread": self._scale.spread}
            arrays["masses"] = np.array([(n.l_mass, n.r_mass) for n in self._nodes()], dtype=np.float64).reshape(-1, 2)
        return pack(_TREES_MAGIC, header, arrays)

    def load(self, data: bytes) -> None:
        """Restore scaling and masses.

        Raises
        ------
        ValueError
            If the bytes are of another seed.
        """
        header, arrays = unpack(_TREES_MAGIC, data)
        if header["seed"] != self._seed:
            raise ValueError(f"snapshot of half-space trees with seed {header['seed']}, not {self._seed}")
        self._trees, self._learned, self._scale = self._plant(), 0, None
        if not arrays:
            return
        self._scale = HealthyScale(arrays["kept"], arrays["centre"], arrays["spread"])
        if header["learned"]:
            # River plants its trees with the first row: where it lies does not matter to their shape.
            self.learn(np.zeros((1, int(self._scale.kept.max(initial=0)) + 1)))
        for node, (left, right) in zip(self._nodes(), arrays["masses"].tolist(), strict=True):
            node.l_mass, node.r_mass = int(left), int(right)
        self._trees.counter = header["counter"]
        self._trees._first_window = header["learned"] < _WINDOW  # noqa: SLF001  # River has no other way to set it
        self._learned = header["learned"]

    def _nodes(self) -> list[Any]:
        return [node for tree in self._trees.trees for node in tree.iter_dfs()]

    @staticmethod
    def _points(scale: HealthyScale, rows: FloatArray) -> list[dict[int, float]]:
        unit = np.clip(0.5 + scale.apply(rows) / (2.0 * _EDGE), 0.0, 1.0)
        return [dict(enumerate(row)) for row in unit.tolist()]


class DriftMember:
    """Adaptive windowing (Bifet & Gavaldà 2007) of the rows' size; implements ``Detector``.

    The score is the mean of two distances above the healthy mean, in healthy standard deviations: the row's size and
    the mean of ADWIN's window. The window shrinks when the mean changes, so a lasting change lifts all rows and noise
    lifts few. The window's mean alone moves so slowly that a baseline does not show how it varies.

    It must see everything, faults too.
    """

    name = "adwin"
    online = True
    protected = False

    def __init__(self) -> None:
        self._scale: HealthyScale | None = None
        self._adwin = ADWIN()
        self._mean = self._spread = float("nan")

    def fit(self, healthy: FloatArray) -> None:
        """Learn the healthy size, and fill the window."""
        self._scale = HealthyScale.of(healthy)
        self._adwin = ADWIN()
        if not self._scale.kept.size:
            return
        sizes = self._sizes(self._scale, healthy)
        self._mean, self._spread = float(sizes.mean()), max(float(sizes.std()), 1e-9)
        self.learn(healthy)

    def score(self, rows: FloatArray) -> FloatArray:
        """Score rows."""
        if self._scale is None or not self._scale.kept.size:
            return np.full(len(rows), np.nan)
        level = (self._sizes(self._scale, rows) + float(self._adwin.estimation)) / 2.0
        score: FloatArray = (level - self._mean) / self._spread
        return score

    def learn(self, rows: FloatArray) -> None:
        """Move the window on."""
        if self._scale is None or not self._scale.kept.size:
            return
        for size in self._sizes(self._scale, rows).tolist():
            self._adwin.update(size)

    def dump(self) -> bytes:
        """Return scaling and ADWIN's own plain state."""
        arrays = {}
        if self._scale is not None:
            window = self._adwin._helper.__getstate__()  # noqa: SLF001  # bytes of numbers, unlike a pickle
            arrays = {
                "kept": self._scale.kept,
                "centre": self._scale.centre,
                "spread": self._scale.spread,
                "healthy": np.array([self._mean, self._spread]),
                "window": np.frombuffer(window, dtype=np.uint8),
            }
        return pack(_DRIFT_MAGIC, {"detected": bool(self._adwin.drift_detected)}, arrays)

    def load(self, data: bytes) -> None:
        """Restore scaling and window."""
        header, arrays = unpack(_DRIFT_MAGIC, data)
        self._adwin, self._scale = ADWIN(), None
        if not arrays:
            return
        self._scale = HealthyScale(arrays["kept"], arrays["centre"], arrays["spread"])
        self._mean, self._spread = arrays["healthy"].tolist()
        self._adwin._helper.__setstate__(arrays["window"].tobytes())  # noqa: SLF001  # as it was dumped
        self._adwin._drift_detected = header["detected"]  # noqa: SLF001  # as above

    @staticmethod
    def _sizes(scale: HealthyScale, rows: FloatArray) -> FloatArray:
        sizes: FloatArray = np.sqrt((scale.apply(rows) ** 2).mean(axis=1))
        return sizes
