"""The twin on all partitions of a process: valid frames in, twin states and model cards out."""

from collections import Counter
from collections.abc import Mapping, Sequence

from forewarn.adapters.arrow_codec import encode_by_partition
from forewarn.adapters.event_codec import Envelope, cloud_event_headers, encode_event
from forewarn.adapters.frame_input import read_frames
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import ModelArtefact
from forewarn.contracts.topics import TopicName
from forewarn.domain.frame import Frame, concat
from forewarn.domain.machine_states import MachineStates
from forewarn.domain.machines import asset_of
from forewarn.domain.rows import to_datetime
from forewarn.domain.twin.model import FittedModel
from forewarn.domain.twin.settings import TwinSettings
from forewarn.domain.twin.snapshot import dump, load
from forewarn.domain.twin.state import TwinState
from forewarn.domain.twin.step import step
from forewarn.ports.lanes import Output, Record, StaleSnapshot, TurnResult

_SOURCE = "/forewarn/twin"


class TwinLanes:
    """Implements ``forewarn.ports.lanes.Lanes`` with the twin."""

    def __init__(self, catalogue: Mapping[str, AssetClass], settings: TwinSettings) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._states: MachineStates[TwinState] = MachineStates()

    def open(self, partition: int, snapshot: bytes | None) -> None:
        """Begin a lane, empty or from a snapshot."""
        try:
            self._states.add(partition, {} if snapshot is None else load(snapshot, self._catalogue))
        except ValueError as exc:
            raise StaleSnapshot(str(exc)) from exc

    def process(self, records: Sequence[Record]) -> TurnResult:
        """Learn from readings or judge them; what is no frame becomes a dead letter."""
        read = read_frames(records, self._catalogue, FrameKind.VALID)
        counts: Counter[str] = Counter({"rejected": len(read.dead_letters)})
        outputs = list(read.dead_letters)
        for frame in read.frames:
            outputs += self._judge(frame, counts)
        return TurnResult(outputs=tuple(outputs), counts=counts)

    def dump(self, partition: int) -> bytes:
        """Serialise models and what is being learned in a lane."""
        return dump(self._states.of(partition))

    def close(self, partition: int) -> None:
        """Forget a lane."""
        self._states.remove(partition)

    def _judge(self, frame: Frame, counts: Counter[str]) -> list[Output]:
        name = frame.asset_class.name
        state, judged, fitted = step(
            self._states.get(name) or TwinState.empty(frame.asset_class), frame, self._settings
        )
        self._states.put(name, state)
        counts.update(received=frame.rows, judged=sum(f.rows for f in judged), fitted=len(fitted))
        outputs = [
            Output(topic=TopicName.TWIN_STATES, partition=partition, value=value)
            for partition, value in (encode_by_partition(concat(judged)) if judged else ())
        ]
        return outputs + [_announce(model) for model in fitted]


def _announce(model: FittedModel) -> Output:
    card = ModelArtefact(
        asset_id=asset_of(model.asset_id),
        kind="twin",
        version=model.version,
        method=model.method,
        trained_from=to_datetime(model.trained_from_us),
        trained_to=to_datetime(model.trained_to_us),
        rows=model.rows,
        r2=dict(model.r2),
        unjudged=dict(model.unjudged),
    )
    key = f"{card.asset_id}/{card.kind}"
    envelope = Envelope(id=f"{key}/{card.version}", source=_SOURCE, time=card.trained_to, partition_key=card.asset_id)
    headers = tuple(cloud_event_headers(card, envelope))
    return Output(topic=TopicName.MODELS, key=key.encode(), value=encode_event(card), headers=headers)
