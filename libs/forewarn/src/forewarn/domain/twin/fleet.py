"""Class model for a machine without its own model, from machines that have one (cold start)."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import numpy as np

from forewarn.contracts.asset_class import AssetClass
from forewarn.domain.twin.model import AssetModel
from forewarn.domain.twin.predict import OwnModel, Prediction

#: One machine does not show how machines of a class differ.
LEAST_MEMBERS: Final = 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FleetModel:
    """Models of other machines of the class, each predicting by itself.

    The prediction is the median of theirs. Its spread includes the variation of one machine and the differences between
    machines, which are large for machines of different size; the prediction is then rightly vague. Machines that have
    operated in the given state are preferred to those that would extrapolate.
    """

    members: Mapping[str, OwnModel]

    def __post_init__(self) -> None:
        if len(self.members) < LEAST_MEMBERS:
            raise ValueError(f"a fleet model needs {LEAST_MEMBERS} machines, not {len(self.members)}")

    @classmethod
    def of(cls, asset_class: AssetClass, models: Mapping[str, AssetModel]) -> "FleetModel":
        """Collect the models of the machines of a class."""
        return cls(
            members={name: OwnModel(asset_class=asset_class, model=model) for name, model in sorted(models.items())}
        )

    @property
    def typical(self) -> float:
        """Return the members' median."""
        return float(np.median([member.typical for member in self.members.values()]))

    def predict(self, state: Mapping[str, float], fixed: AbstractSet[str]) -> Prediction:
        """Predict a machine of the class in a state."""
        said = [member.predict(state, fixed) for member in self.members.values()]
        at_home = [prediction for prediction in said if not prediction.extrapolated]
        speaking = at_home if len(at_home) >= LEAST_MEMBERS else said
        names = dict.fromkeys(name for prediction in speaking for name in prediction.expected)
        expected, scale = {}, {}
        for name in names:
            known = [prediction for prediction in speaking if name in prediction.expected]
            if len(known) >= LEAST_MEMBERS:
                expected[name], scale[name] = _pooled(known, name)
        widening = float(np.median([prediction.widening for prediction in speaking]))
        return Prediction(expected=expected, scale=scale, widening=widening, extrapolated=len(at_home) < LEAST_MEMBERS)


def _pooled(known: Sequence[Prediction], name: str) -> tuple[float, float]:
    middles = np.array([prediction.expected[name] for prediction in known])
    own = np.array([prediction.scale[name] for prediction in known])
    # The next machine differs from the mean of n like a new draw: by (1 + 1/n) of their variance.
    between = middles.var(ddof=1) * (1.0 + 1.0 / middles.size)
    return float(np.median(middles)), float(np.sqrt(np.median(own) ** 2 + between))
