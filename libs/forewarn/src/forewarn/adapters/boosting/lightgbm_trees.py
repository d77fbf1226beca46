"""Trees grown by LightGBM, kept as plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.prognosis.trees import Forest

#: Growth of the trees: many shallow ones, each sees half of the features. Chosen by cross-validation over engines
#: of the C-MAPSS training sets, where none of them mattered much (docs/prognosis.md).
PARAMETERS: Final[Mapping[str, Any]] = {
    "objective": "regression",
    "num_leaves": 31,
    "max_depth": 5,
    "learning_rate": 0.05,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.5,
    "lambda_l2": 1.0,
    "max_bin": 63,
    "num_threads": 1,  # a second one gains little on so few rows, and results would depend on it
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
ROUNDS: Final = 300

#: Rows in a leaf: this share of all rows, within limits.
_LEAF_SHARE: Final = 1 / 400
_LEAF_ROWS: Final = (5, 50)


class BoostingUnavailable(Exception):  # noqa: N818  # a state of the installation, not a mistake
    """LightGBM cannot be loaded; the message says what to install."""


class LightGbmTrees:
    """Grows boosted trees; a :class:`~forewarn.domain.prognosis.trees.TreeLearner`."""

    def __init__(self, rounds: int = ROUNDS) -> None:
        self._lightgbm = _library()
        self._rounds = rounds

    def __call__(self, features: FloatArray, target: FloatArray, *, seed: int) -> Forest:
        """Grow trees; the same rows and seed give the same ones."""
        fewest, most = _LEAF_ROWS
        leaf = int(np.clip(len(target) * _LEAF_SHARE, fewest, most))
        parameters = {**PARAMETERS, "min_data_in_leaf": leaf, "seed": seed}
        data = self._lightgbm.Dataset(features, target, params={"max_bin": parameters["max_bin"], "verbosity": -1})
        grown = self._lightgbm.train(parameters, data, self._rounds)
        return to_forest(grown.dump_model())


def to_forest(dump: Mapping[str, Any]) -> Forest:
    """Turn LightGBM's description of a model of numerical features into arrays."""
    nodes = _Nodes()
    roots = [nodes.add(tree["tree_structure"], depth=0) for tree in dump["tree_info"]]
    return Forest(
        roots=np.array(roots, dtype=np.int32),
        feature=np.array(nodes.feature, dtype=np.int32),
        threshold=np.array(nodes.threshold, dtype=np.float64),
        missing_left=np.array(nodes.missing_left, dtype=np.bool_),
        left=np.array(nodes.left, dtype=np.int32),
        right=np.array(nodes.right, dtype=np.int32),
        value=np.array(nodes.value, dtype=np.float64),
        depth=nodes.depth,
        features=int(dump["max_feature_idx"]) + 1,
    )


@dataclass(slots=True)
class _Nodes:
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    depth: int = 0

    def add(self, node: Mapping[str, Any], *, depth: int) -> int:
        """Append a node and what is below it; return its place."""
        place = len(self.feature)
        is_leaf = "split_feature" not in node
        self.depth = max(self.depth, depth)
        self.feature.append(0 if is_leaf else node["split_feature"])
        self.threshold.append(0.0 if is_leaf else node["threshold"])
        self.missing_left.append(is_leaf or _missing_goes_left(node))
        self.value.append(node["leaf_value"] if is_leaf else 0.0)
        self.left.append(place)
        self.right.append(place)
        if not is_leaf:
            self.left[place] = self.add(node["left_child"], depth=depth + 1)
            self.right[place] = self.add(node["right_child"], depth=depth + 1)
        return place


def _missing_goes_left(node: Mapping[str, Any]) -> bool:
    """Return where a row with NaN goes: as the split says, or as if it were zero if training saw no NaN there."""
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    return bool(node["threshold"] >= 0.0)


def _library() -> Any:  # noqa: ANN401  # a module without types
    try:
        import lightgbm  # noqa: PLC0415  # heavy, and absent where no fleet model is trained
    except ImportError as exc:
        raise BoostingUnavailable("LightGBM is not installed: pip install 'forewarn[ml]'") from exc
    except OSError as exc:
        raise BoostingUnavailable(
            f"LightGBM cannot be loaded ({exc}); its OpenMP library is probably missing: apt-get install libgomp1"
        ) from exc
    return lightgbm
