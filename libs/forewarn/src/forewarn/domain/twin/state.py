"""State of the twin for the assets of one class."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.domain.frames.frame import FloatArray
from forewarn.domain.frames.waiting import Waiting
from forewarn.domain.twin.layout import ClassLayout, TwinLayout, layout_of
from forewarn.domain.twin.model import AssetModel, Bank, FittedModel, bank_of
from forewarn.domain.twin.request import AUTOMATIC, LearningRequest


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Learning:
    """An asset whose baseline is not complete."""

    version: int  #: Version its next model will have.
    waiting: tuple[Waiting, ...] = ()  #: Readings not yet emitted, oldest first, in pieces.
    usable: tuple[NDArray[np.bool_], ...] = ()  #: For each piece, which readings count towards the baseline.
    #: Baseline readings already emitted without judgement that still train. Shape (rows, columns of the layout); with
    #: their times in ``emitted_ts``.
    emitted: FloatArray
    emitted_ts: NDArray[np.int64]
    baseline_rows: int = 0  #: Readings that count towards the baseline so far.
    waiting_rows: int = 0  #: Readings in ``waiting``.
    request: LearningRequest = AUTOMATIC  #: Origin of this baseline and its allowed readings.

    @classmethod
    def fresh(cls, layout: TwinLayout, version: int = 1, request: LearningRequest = AUTOMATIC) -> "Learning":
        """Return a state without readings."""
        nothing, never = np.empty((0, len(layout.columns))), np.empty(0, dtype=np.int64)
        return cls(version=version, emitted=nothing, emitted_ts=never, request=request)

    def grown(self, fresh: Waiting, usable: NDArray[np.bool_]) -> "Learning":
        """Add held readings."""
        return replace(
            self,
            waiting=(*self.waiting, fresh),
            usable=(*self.usable, usable),
            baseline_rows=self.baseline_rows + int(np.count_nonzero(usable)),
            waiting_rows=self.waiting_rows + fresh.rows,
        )

    def joined(self, asset_class: AssetClass) -> tuple[Waiting, NDArray[np.bool_]]:
        """Return all held readings, and which are usable."""
        nothing = Waiting.none(FrameKind.VALID, asset_class), np.zeros(0, dtype=np.bool_)
        if not self.waiting:
            return nothing
        return Waiting.joined(self.waiting), np.concatenate(self.usable)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TwinState:
    """State of one class, immutable: a step returns a new one.

    An asset is in ``learning``, or in ``models`` and ``cards``, or unknown. ``positions`` and ``bank`` are derived from
    ``models``: each asset's model is at its position in the bank.
    """

    asset_class: AssetClass
    learning: Mapping[str, Learning] = field(default_factory=dict)
    models: Mapping[str, AssetModel] = field(default_factory=dict)
    cards: Mapping[str, FittedModel] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)
    versions: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    bank: Bank | None = None

    @classmethod
    def empty(cls, asset_class: AssetClass) -> "TwinState":
        """Return a state without assets."""
        return cls(asset_class=asset_class)

    @classmethod
    def of(
        cls,
        asset_class: AssetClass,
        learning: Mapping[str, Learning],
        models: Mapping[str, AssetModel],
        cards: Mapping[str, FittedModel],
    ) -> "TwinState":
        """Build a state and its bank."""
        return cls(
            asset_class=asset_class,
            learning=learning,
            models=models,
            cards=cards,
            positions={asset_id: position for position, asset_id in enumerate(models)},
            versions=np.array([cards[asset_id].version for asset_id in models], dtype=np.uint32),
            bank=bank_of(models),
        )

    @property
    def layout(self) -> ClassLayout:
        """Return the columns of the class's twin."""
        return layout_of(self.asset_class)

    @property
    def assets(self) -> tuple[str, ...]:
        """Return every known asset."""
        return (*self.learning, *self.models)

    def select(self, names: Mapping[str, str]) -> "TwinState":
        """Select these assets, under the names they map to."""
        return TwinState.of(
            self.asset_class,
            {names[name]: learning for name, learning in self.learning.items() if name in names},
            {names[name]: model for name, model in self.models.items() if name in names},
            {names[name]: replace(card, asset_id=names[name]) for name, card in self.cards.items() if name in names},
        )

    def joined(self, other: "TwinState") -> "TwinState":
        """Return the union with a state of other assets of the same class."""
        return TwinState.of(
            self.asset_class,
            {**self.learning, **other.learning},
            {**self.models, **other.models},
            {**self.cards, **other.cards},
        )
