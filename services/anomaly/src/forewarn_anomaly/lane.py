"""The anomaly stage: twin states in, scores out, on all partitions of a process."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.detectors.ensemble import MemberEnsemble
from forewarn.adapters.frames.codec import encode_by_partition
from forewarn.adapters.frames.turn import dead_letter, read_frames
from forewarn.adapters.removals import between_removals, pass_on, read_removal
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.snapshot import dump, load
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step
from forewarn.domain.frames.frame import FloatArray, Frame
from forewarn.domain.frames.partitions import PartitionRows, by_partition, of_partition, partition_key
from forewarn.domain.progress import ProgressCallback, no_progress
from forewarn.domain.state.packing import pack, unpack
from forewarn.domain.state.partitioned import PartitionedStates
from forewarn.ports.lanes import Output, Record, StaleSnapshot, TurnResult

_MAGIC: Final = b"FWANLN01"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyConfig:
    """Configuration of all lanes. ``members`` names detectors that join the residual score."""

    catalogue: Mapping[str, AssetClass]
    settings: AnomalySettings
    members: tuple[str, ...] = ()

    def ensemble(self, asset_class: AssetClass) -> MemberEnsemble:
        """Return new detectors for a class."""
        return MemberEnsemble(asset_class, self.members, self.settings)


class AnomalyLanes:
    """Implements ``forewarn.ports.lanes.Lanes`` with the residual score and further detectors.

    Detectors are mutable and work machine by machine, so each lane has its own.
    """

    def __init__(self, config: AnomalyConfig) -> None:
        self._config = config
        self._states: PartitionedStates[AnomalyState] = PartitionedStates()
        self._ensembles: dict[int, dict[str, MemberEnsemble]] = defaultdict(dict)

    @decoder(StaleSnapshot)
    def open(self, partition: int, snapshot: bytes | None) -> None:
        """Open a lane, empty or from a snapshot."""
        if snapshot is None:
            self.close(partition)
            return
        names, arrays = unpack(_MAGIC, snapshot)
        states = load(arrays[""].tobytes(), self._config.catalogue, self._config.settings)
        ensembles = {name: self._ensemble(name, arrays[name].tobytes()) for name in names if name in states}
        self._states.add(partition, states)
        self._ensembles[partition] = ensembles

    def process(self, records: Sequence[Record], on_progress: ProgressCallback = no_progress) -> TurnResult:
        """Calibrate or score; records that are not frames become dead letters."""
        counts: Counter[str] = Counter()
        outputs: list[Output] = []
        for stretch, removal in between_removals(records):
            read = read_frames(stretch, self._config.catalogue, FrameKind.TWIN)
            counts["rejected"] += len(read.dead_letters)
            outputs += read.dead_letters
            for frame in read.frames:
                outputs += self._score(frame, counts, on_progress)
            if removal is not None:
                outputs += self._forget(removal, counts)
        return TurnResult(outputs=tuple(outputs), counts=counts)

    def dump(self, partition: int) -> bytes:
        """Return a lane's calibrations, recent residuals and detectors, serialised."""
        states = {state.asset_class.name: state for state in self._states.of(partition)}
        own = self._ensembles.get(partition, {})
        ensembles = {name: _as_array(own[name].dump()) for name in sorted(own.keys() & states.keys())}
        return pack(_MAGIC, list(ensembles), {"": _as_array(dump(states.values())), **ensembles})

    def close(self, partition: int) -> None:
        """Drop a lane."""
        self._states.remove(partition)
        self._ensembles.pop(partition, None)

    def _forget(self, record: Record, counts: Counter[str]) -> list[Output]:
        removal = read_removal(record)
        if removal is None:
            counts["rejected"] += 1
            return [dead_letter(record, "the message has the key of a removal but is not one")]
        self._states.forget(partition_key(record.partition, removal.asset_id))
        for ensemble in self._ensembles.get(record.partition, {}).values():
            ensemble.forget(removal.asset_id)
        return pass_on(removal, TopicName.ANOMALY_SCORES, record.partition, self._config.catalogue)

    def _score(self, frame: Frame, counts: Counter[str], on_progress: ProgressCallback) -> list[Output]:
        name, settings = frame.asset_class.name, self._config.settings
        frame, stretches = by_partition(frame)
        state = self._states.get(name) or AnomalyState.empty(frame.asset_class, settings)
        state, scored = step(state, frame, settings, self._member_p_values(frame, stretches), on_progress)
        self._states.put(name, state)
        counts.update(received=frame.rows, scored=scored.rows, flagged=int(scored.arrays["flag"].sum()))
        return [
            Output(topic=TopicName.ANOMALY_SCORES, partition=partition, value=value)
            for partition, value in encode_by_partition(scored)
        ]

    def _member_p_values(self, frame: Frame, stretches: Sequence[PartitionRows]) -> dict[str, FloatArray]:
        if not self._config.members:
            return {}
        asked = [
            self._ensemble_of(stretch.partition, frame.asset_class).p_values(of_partition(frame, stretch))
            for stretch in stretches
        ]
        return {name: np.concatenate([p[name] for p in asked]) for name in self._config.members} if asked else {}

    def _ensemble_of(self, partition: int, asset_class: AssetClass) -> MemberEnsemble:
        own = self._ensembles[partition]
        if asset_class.name not in own:
            own[asset_class.name] = self._config.ensemble(asset_class)
        return own[asset_class.name]

    def _ensemble(self, class_name: str, data: bytes) -> MemberEnsemble:
        ensemble = self._config.ensemble(self._config.catalogue[class_name])
        ensemble.load(data)
        return ensemble


def _as_array(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8)
