"""Grown regression trees as plain arrays: readable anywhere, nothing in them is executed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forewarn.domain.frames.frame import FloatArray

#: Rows × trees processed at once.
_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Forest:
    """The sum of several trees.

    Nodes of all trees are in one sequence; a leaf is its own child, so that stepping on from it changes nothing.
    """

    roots: NDArray[np.int32]  #: First node of each tree, shape (trees,).
    #: A row goes left if its feature is at most the threshold; shape (nodes,).
    feature: NDArray[np.int32]
    threshold: FloatArray
    missing_left: NDArray[np.bool_]  #: Whether rows with an unknown feature go left.
    #: Next node.
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: FloatArray  #: Value of a leaf; zero for other nodes.
    depth: int  #: Steps from a root to its deepest leaf.
    features: int  #: Number of features of a row.

    def __post_init__(self) -> None:
        nodes = self.feature.size
        columns = (self.threshold, self.missing_left, self.left, self.right, self.value)
        if any(column.shape != (nodes,) for column in columns):
            raise ValueError("the columns of a forest have different lengths")
        for links, limit in (
            (self.roots, nodes),
            (self.left, nodes),
            (self.right, nodes),
            (self.feature, self.features),
        ):
            if links.size and not (links.min() >= 0 and links.max() < limit):
                raise ValueError("a forest refers to nodes or features it does not have")

    def predict(self, rows: FloatArray) -> FloatArray:
        """Sum the leaves that each row of shape (rows, features) reaches; ValueError for another number of features."""
        if rows.shape[1] != self.features:
            raise ValueError(f"rows have {rows.shape[1]} features, the trees know {self.features}")
        out = np.empty(len(rows))
        block = max(1, _BLOCK // max(1, self.roots.size))
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            out[start : start + block] = self._walk(part)
        return out

    def _walk(self, rows: FloatArray) -> FloatArray:
        node = np.tile(self.roots, (len(rows), 1))
        row = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            value = rows[row, self.feature[node]]
            left = np.where(np.isnan(value), self.missing_left[node], value <= self.threshold[node])
            node = np.where(left, self.left[node], self.right[node])
        total: FloatArray = self.value[node].sum(axis=1)
        return total


def average(forests: Sequence[Forest]) -> Forest:
    """Return one forest that predicts the mean of several over the same features."""
    offsets = np.cumsum([0, *(forest.feature.size for forest in forests[:-1])]).astype(np.int32)

    def links(name: str) -> NDArray[np.int32]:
        return np.concatenate([getattr(f, name) + offset for f, offset in zip(forests, offsets, strict=True)])

    return Forest(
        roots=links("roots"),
        left=links("left"),
        right=links("right"),
        feature=np.concatenate([forest.feature for forest in forests]),
        threshold=np.concatenate([forest.threshold for forest in forests]),
        missing_left=np.concatenate([forest.missing_left for forest in forests]),
        value=np.concatenate([forest.value for forest in forests]) / len(forests),
        depth=max(forest.depth for forest in forests),
        features=forests[0].features,
    )


class TreeLearner(Protocol):
    """Grows boosted regression trees."""

    def __call__(self, features: FloatArray, target: FloatArray, *, seed: int) -> Forest:
        """Learn to predict ``target`` (rows,) from ``features`` (rows, features), NaN where unknown.

        The same arguments give the same trees.
        """
        ...
