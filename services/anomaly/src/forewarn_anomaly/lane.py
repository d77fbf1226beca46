"""One partition of the anomaly stage: twin states in, scores out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.arrow_codec import encode_frames
from forewarn.adapters.detectors.ensemble import MemberEnsemble
from forewarn.adapters.frame_input import read_frames
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.snapshot import dump, load
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step
from forewarn.domain.frame import FloatArray, Frame
from forewarn.domain.packing import pack, unpack
from forewarn.ports.lanes import LaneResult, Output, Record, StaleSnapshot

_MAGIC: Final = b"FWANLN01"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyConfig:
    """What all lanes share. ``members`` names detectors that join the residual score."""

    catalogue: Mapping[str, AssetClass]
    settings: AnomalySettings
    members: tuple[str, ...] = ()

    def ensemble(self, asset_class: AssetClass) -> MemberEnsemble:
        """Detectors of a class that have seen nothing yet."""
        return MemberEnsemble(asset_class, self.members, self.settings)


class AnomalyLane:
    """Implements ``forewarn.ports.lanes.Lane`` with the residual score and the detectors beside it."""

    def __init__(
        self,
        partition: int,
        config: AnomalyConfig,
        states: Mapping[str, AnomalyState],
        ensembles: Mapping[str, MemberEnsemble],
    ) -> None:
        self._partition = partition
        self._config = config
        self._states = dict(states)
        self._ensembles = dict(ensembles)

    def process(self, records: Sequence[Record]) -> LaneResult:
        """Calibrate or score; what is no frame becomes a dead letter."""
        read = read_frames(records, self._config.catalogue, FrameKind.TWIN)
        counts: Counter[str] = Counter({"rejected": len(read.dead_letters)})
        outputs = list(read.dead_letters)
        for frame in read.frames:
            outputs += self._score(frame, counts)
        return LaneResult(outputs=tuple(outputs), counts=counts)

    def dump(self) -> bytes:
        """Serialise calibrations, recent residuals and detectors."""
        ensembles = {name: _as_array(ensemble.dump()) for name, ensemble in sorted(self._ensembles.items())}
        return pack(_MAGIC, sorted(ensembles), {"": _as_array(dump(self._states.values())), **ensembles})

    def _score(self, frame: Frame, counts: Counter[str]) -> list[Output]:
        name = frame.asset_class.name
        settings = self._config.settings
        state = self._states.get(name) or AnomalyState.empty(frame.asset_class, settings)
        self._states[name], scored = step(state, frame, settings, self._member_p_values(frame))
        counts.update(received=frame.rows, scored=scored.rows, flagged=int(scored.arrays["flag"].sum()))
        return [
            Output(topic=TopicName.ANOMALY_SCORES, partition=self._partition, value=value)
            for value in encode_frames(scored)
        ]

    def _member_p_values(self, frame: Frame) -> dict[str, FloatArray]:
        if not self._config.members:
            return {}
        asset_class = frame.asset_class
        if asset_class.name not in self._ensembles:
            self._ensembles[asset_class.name] = self._config.ensemble(asset_class)
        return self._ensembles[asset_class.name].p_values(frame)


class AnomalyLanes:
    """Makes anomaly lanes; implements ``forewarn.ports.lanes.LaneFactory``."""

    def __init__(self, config: AnomalyConfig) -> None:
        self._config = config

    def __call__(self, partition: int, snapshot: bytes | None) -> AnomalyLane:
        """Build a lane, empty or from a snapshot."""
        if snapshot is None:
            return AnomalyLane(partition, self._config, {}, {})
        try:
            names, arrays = unpack(_MAGIC, snapshot)
            states = load(arrays[""].tobytes(), self._config.catalogue, self._config.settings)
            ensembles = {name: self._ensemble(name, arrays[name].tobytes()) for name in names if name in states}
        except ValueError as exc:
            raise StaleSnapshot(str(exc)) from exc
        return AnomalyLane(partition, self._config, states, ensembles)

    def _ensemble(self, class_name: str, data: bytes) -> MemberEnsemble:
        ensemble = self._config.ensemble(self._config.catalogue[class_name])
        ensemble.load(data)
        return ensemble


def _as_array(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8)
