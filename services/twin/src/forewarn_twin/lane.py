"""One partition of the twin: valid frames in, twin states and model cards out."""

from collections import Counter
from collections.abc import Mapping, Sequence

from forewarn.adapters.arrow_codec import encode_frames
from forewarn.adapters.event_codec import Envelope, cloud_event_headers, encode_event
from forewarn.adapters.frame_input import read_frames
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.base import utc_from_us
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.topics import TopicName
from forewarn.domain.frame import Frame
from forewarn.domain.twin.model import FittedModel
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.snapshot import dump, load
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from forewarn.ports.lanes import LaneResult, Output, Record, StaleSnapshot

_SOURCE = "/forewarn/twin"


class TwinLane:
    """Implements ``forewarn.ports.lanes.Lane`` with the twin."""

    def __init__(
        self,
        partition: int,
        states: Mapping[str, TwinState],
        *,
        catalogue: Mapping[str, AssetClass],
        settings: TwinSettings,
    ) -> None:
        self._partition = partition
        self._states = dict(states)
        self._catalogue = catalogue
        self._settings = settings

    def process(self, records: Sequence[Record]) -> LaneResult:
        """Learn from readings or judge them; what is no frame becomes a dead letter."""
        read = read_frames(records, self._catalogue, FrameKind.VALID)
        counts: Counter[str] = Counter({"rejected": len(read.dead_letters)})
        outputs = list(read.dead_letters)
        for frame in read.frames:
            outputs += self._judge(frame, counts)
        return LaneResult(outputs=tuple(outputs), counts=counts)

    def dump(self) -> bytes:
        """Serialise models and what is being learned."""
        return dump(self._states.values())

    def _judge(self, frame: Frame, counts: Counter[str]) -> list[Output]:
        name = frame.asset_class.name
        state = self._states.get(name) or TwinState.empty(frame.asset_class)
        self._states[name], judged, fitted = step(state, frame, self._settings)
        counts.update(received=frame.rows, judged=sum(f.rows for f in judged), fitted=len(fitted))
        outputs = [
            Output(topic=TopicName.TWIN_STATES, partition=self._partition, value=value)
            for part in judged
            for value in encode_frames(part)
        ]
        return outputs + [_announce(model) for model in fitted]


class TwinLanes:
    """Makes twin lanes; implements ``forewarn.ports.lanes.LaneFactory``."""

    def __init__(self, catalogue: Mapping[str, AssetClass], settings: TwinSettings) -> None:
        self._catalogue = catalogue
        self._settings = settings

    def __call__(self, partition: int, snapshot: bytes | None) -> TwinLane:
        """Build a lane, empty or from a snapshot."""
        try:
            states = {} if snapshot is None else load(snapshot, self._catalogue)
        except ValueError as exc:
            raise StaleSnapshot(str(exc)) from exc
        return TwinLane(partition, states, catalogue=self._catalogue, settings=self._settings)


def _announce(model: FittedModel) -> Output:
    card = ModelArtefact(
        asset_id=model.asset_id,
        kind="twin",
        version=model.version,
        method=model.method,
        trained_from=utc_from_us(model.trained_from_us),
        trained_to=utc_from_us(model.trained_to_us),
        rows=model.rows,
        r2=dict(model.r2),
        unjudged=dict(model.unjudged),
    )
    key = f"{card.asset_id}/{card.kind}"
    envelope = Envelope(id=f"{key}/{card.version}", source=_SOURCE, time=card.trained_to, partition_key=card.asset_id)
    headers = tuple(cloud_event_headers(card, envelope))
    return Output(topic=TopicName.MODELS, key=key.encode(), value=encode_event(card), headers=headers)
