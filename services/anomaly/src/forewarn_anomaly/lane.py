"""One partition of the anomaly stage: twin states in, scores out."""

from collections import Counter
from collections.abc import Mapping, Sequence

from forewarn.adapters.arrow_codec import encode_frames
from forewarn.adapters.frame_input import read_frames
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.topics import TopicName
from forewarn.domain.anomaly.settings import AnomalySettings
from forewarn.domain.anomaly.snapshot import dump, load
from forewarn.domain.anomaly.state import AnomalyState
from forewarn.domain.anomaly.step import step
from forewarn.domain.frame import Frame
from forewarn.ports.lanes import LaneResult, Output, Record, StaleSnapshot


class AnomalyLane:
    """Implements ``forewarn.ports.lanes.Lane`` with the residual score."""

    def __init__(
        self,
        partition: int,
        states: Mapping[str, AnomalyState],
        *,
        catalogue: Mapping[str, AssetClass],
        settings: AnomalySettings,
    ) -> None:
        self._partition = partition
        self._states = dict(states)
        self._catalogue = catalogue
        self._settings = settings

    def process(self, records: Sequence[Record]) -> LaneResult:
        """Calibrate or score; what is no frame becomes a dead letter."""
        read = read_frames(records, self._catalogue, FrameKind.TWIN)
        counts: Counter[str] = Counter({"rejected": len(read.dead_letters)})
        outputs = list(read.dead_letters)
        for frame in read.frames:
            outputs += self._score(frame, counts)
        return LaneResult(outputs=tuple(outputs), counts=counts)

    def dump(self) -> bytes:
        """Serialise calibrations and recent residuals."""
        return dump(self._states.values())

    def _score(self, frame: Frame, counts: Counter[str]) -> list[Output]:
        name = frame.asset_class.name
        state = self._states.get(name) or AnomalyState.empty(frame.asset_class, self._settings)
        self._states[name], scored = step(state, frame, self._settings)
        counts.update(received=frame.rows, scored=scored.rows, flagged=int(scored.arrays["flag"].sum()))
        return [
            Output(topic=TopicName.ANOMALY_SCORES, partition=self._partition, value=value)
            for value in encode_frames(scored)
        ]


class AnomalyLanes:
    """Makes anomaly lanes; implements ``forewarn.ports.lanes.LaneFactory``."""

    def __init__(self, catalogue: Mapping[str, AssetClass], settings: AnomalySettings) -> None:
        self._catalogue = catalogue
        self._settings = settings

    def __call__(self, partition: int, snapshot: bytes | None) -> AnomalyLane:
        """Build a lane, empty or from a snapshot."""
        try:
            states = {} if snapshot is None else load(snapshot, self._catalogue, self._settings)
        except ValueError as exc:
            raise StaleSnapshot(str(exc)) from exc
        return AnomalyLane(partition, states, catalogue=self._catalogue, settings=self._settings)
