"""Predictions of a fitted model for a hypothetical operating state."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.frames.frame import Array, FloatArray
from forewarn.domain.twin.deviation import deviation_of, root_mean_square
from forewarn.domain.twin.kernel import KernelModel
from forewarn.domain.twin.layout import TwinLayout, layout_of
from forewarn.domain.twin.model import AssetModel, Regime, bank_of, judge

#: From the healthy standard deviation to half of a 90 % interval.
INTERVAL_Z: Final = 1.6449


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Predicted responses with their standard deviation, in the tags' units; unjudged ones are left out.

    ``extrapolated``: the drivers, alone or together, are outside the learned range; ``widening`` is the factor by which
    the model is then less certain.
    """

    expected: Mapping[str, float]
    scale: Mapping[str, float]
    widening: float = 1.0
    extrapolated: bool = False


class Predictor(Protocol):
    """A model of one machine, or several of its class in its place."""

    @property
    def typical(self) -> float:
        """Return the 95th percentile of the healthy root mean square residual."""
        ...

    def predict(self, state: Mapping[str, float], fixed: AbstractSet[str]) -> Prediction:
        """Predict a machine in a state.

        ``state`` has every column of the class, NaN unknown. A model without drivers takes the columns in ``fixed`` as
        given and estimates the others from them; one with drivers takes those.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OwnModel:
    """The machine's own model."""

    asset_class: AssetClass
    model: AssetModel

    @property
    def typical(self) -> float:
        """Return the model's 95th percentile."""
        return float(self.model.typical)

    def predict(self, state: Mapping[str, float], fixed: AbstractSet[str]) -> Prediction:
        """Predict the machine in a state."""
        layout = layout_of(self.asset_class)
        if isinstance(self.model, KernelModel):
            expected, scale, widening, extrapolated = _conditional(self.model, layout, state, fixed)
        else:
            expected, scale, widening, extrapolated = _regression(self.model, layout, state)
        known = np.isfinite(expected) & np.isfinite(scale)
        names = [name for name, yes in zip(layout.responses, known.tolist(), strict=True) if yes]
        return Prediction(
            expected=dict(zip(names, expected[known].tolist(), strict=True)),
            scale=dict(zip(names, scale[known].tolist(), strict=True)),
            widening=widening,
            extrapolated=extrapolated,
        )


def deviation_in(prediction: Prediction, typical: float, state: Mapping[str, float]) -> float | None:
    """Return the deviation 0–100 of a measured state from a prediction; None where nothing can be compared."""
    distance = [
        (state[name] - expected) / prediction.scale[name]
        for name, expected in prediction.expected.items()
        if np.isfinite(state[name])
    ]
    if not distance:
        return None
    return float(deviation_of(root_mean_square(np.array(distance)[:, None]), typical)[0])


def _regression(
    model: AssetModel, layout: TwinLayout, state: Mapping[str, float]
) -> tuple[FloatArray, FloatArray, float, bool]:
    """Predict by a model with drivers, in the way readings are judged."""
    bank = bank_of({"": model})
    if bank is None:
        raise ValueError(f"no way to ask a {type(model).__name__}")
    position = np.zeros(1, dtype=np.intp)
    columns = _columns(layout, state, np.full(len(layout.responses), np.nan))
    said = judge(bank, layout, columns, position)
    expected = said.expected[:, 0]
    # A response one healthy standard deviation off has the residual 1, less where the model widens it.
    off = judge(bank, layout, _columns(layout, state, expected + model.scale), position)
    widening = 1.0 / off.residual[:, 0]
    known = widening[np.isfinite(widening)]
    worst = float(known.max()) if known.size else 1.0
    return expected, model.scale * widening, worst, bool((off.regime == Regime.EXTRAPOLATED).any())


def _columns(layout: TwinLayout, state: Mapping[str, float], responses: FloatArray) -> dict[str, Array]:
    columns: dict[str, Array] = {name: np.array([value]) for name, value in state.items()}
    columns |= {name: responses[k : k + 1] for k, name in enumerate(layout.responses)}
    if layout.running is not None and layout.running.column in layout.responses:
        columns[layout.running.column] = np.array([state[layout.running.column]])
    columns["ts"] = np.zeros(1, dtype=np.int64)
    return columns


def _conditional(
    model: KernelModel, layout: TwinLayout, state: Mapping[str, float], fixed: AbstractSet[str]
) -> tuple[FloatArray, FloatArray, float, bool]:
    """Return mean and spread of the remembered healthy states, weighted by their nearness in the fixed tags.

    The kernel and its width are those of the model (see ``kernel``), restricted to the fixed tags.
    """
    held = model.fast  # tags that wander have no remembered states
    places, centre, width = model.judged[held], model.centre[held], model.spread[held]
    names = [layout.responses[position] for position in places.tolist()]
    given = [k for k, name in enumerate(names) if name in fixed and np.isfinite(state[name])]
    memory = model.memory.astype(np.float64)
    weights, outside = np.ones(memory.shape[1]), False
    if given:
        wanted = np.array([(state[names[k]] - centre[k]) / width[k] for k in given])[:, None]
        squared = ((memory[given] - wanted) ** 2).sum(axis=0)
        weights = np.exp(-0.5 * (squared - squared.min()) / model.bandwidth**2 * (memory.shape[0] / len(given)))
        outside = bool(((wanted < memory[given].min(axis=1)) | (wanted > memory[given].max(axis=1))).any())
    weights /= weights.sum()
    middle = memory @ weights
    spread = np.sqrt(((memory - middle[:, None]) ** 2) @ weights)
    expected, scale = np.full(len(layout.responses), np.nan), np.full(len(layout.responses), np.nan)
    expected[places] = centre + width * middle
    scale[places] = np.hypot(width * spread, model.scale[places])
    return expected, scale, 1.0, outside
