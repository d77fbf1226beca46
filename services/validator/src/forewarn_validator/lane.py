"""One partition of readings: raw JSON in, valid frames and rejections out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from forewarn.adapters.arrow_codec import encode_frames
from forewarn.adapters.event_codec import encode_event
from forewarn.adapters.raw_readings import DecodedBatch, RawReadingDecoder, Refusal
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import utc_from_us
from forewarn.contracts.readings import RejectedReading
from forewarn.contracts.topics import TopicName
from forewarn.domain.guard.batch import GuardSettings, Nameplates, Rejection
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState, dump, load
from forewarn.ports.lanes import LaneResult, Output, Record, StaleSnapshot


class ValidatorLane:
    """Implements ``forewarn.ports.lanes.Lane`` with the guard."""

    def __init__(
        self,
        partition: int,
        states: Mapping[str, GuardState],
        *,
        decoder: RawReadingDecoder,
        settings: GuardSettings,
        nameplates: Callable[[], Nameplates],
    ) -> None:
        self._partition = partition
        self._states = dict(states)
        self._decoder = decoder
        self._settings = settings
        self._nameplates = nameplates

    def process(self, records: Sequence[Record]) -> LaneResult:
        """Decode and judge records; nothing is dropped but duplicates, and those are counted."""
        batches, refusals = self._decoder.decode(records)
        counts: Counter[str] = Counter({"rejected": len(refusals)})
        outputs = [self._rejected(_refused(refusal)) for refusal in refusals]
        for decoded in batches:
            outputs += self._judge(decoded, counts)
        return LaneResult(outputs=tuple(outputs), counts=counts)

    def dump(self) -> bytes:
        """Serialise the guard's memory."""
        return dump(self._states.values())

    def _judge(self, decoded: DecodedBatch, counts: Counter[str]) -> list[Output]:
        asset_class = decoded.batch.asset_class
        state = self._states.get(asset_class.name) or GuardState.empty(asset_class)
        result = check(decoded.batch, state, self._settings, self._nameplates())
        self._states[asset_class.name] = result.state
        tally = result.counters
        counts.update(
            accepted=tally.accepted,
            warning=tally.warned,
            rejected=tally.rejected,
            duplicate=tally.duplicate,
            late=tally.late,
        )
        outputs = [
            Output(topic=TopicName.READINGS_VALID, partition=self._partition, value=value)
            for value in encode_frames(result.frame)
        ]
        return outputs + [self._rejected(_condemned(decoded, rejection)) for rejection in result.rejections]

    @staticmethod
    def _rejected(event: RejectedReading) -> Output:
        key = event.asset_id.encode() if event.asset_id else event.key
        return Output(topic=TopicName.READINGS_REJECTED, key=key, value=encode_event(event))


class ValidatorLanes:
    """Makes validator lanes; implements ``forewarn.ports.lanes.LaneFactory``."""

    def __init__(
        self,
        catalogue: Mapping[str, AssetClass],
        *,
        find_asset: Callable[[str], Asset | None],
        nameplates: Callable[[], Nameplates],
        settings: GuardSettings,
    ) -> None:
        self._catalogue = catalogue
        self._decoder = RawReadingDecoder(catalogue, find_asset)
        self._nameplates = nameplates
        self._settings = settings

    def __call__(self, partition: int, snapshot: bytes | None) -> ValidatorLane:
        """Build a lane, empty or from a snapshot."""
        try:
            states = {} if snapshot is None else load(snapshot, self._catalogue)
        except ValueError as exc:
            raise StaleSnapshot(str(exc)) from exc
        return ValidatorLane(
            partition, states, decoder=self._decoder, settings=self._settings, nameplates=self._nameplates
        )


def _refused(refusal: Refusal) -> RejectedReading:
    record = refusal.record
    return RejectedReading(
        rejected_id=_rejected_id(record, refusal.index),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        index=refusal.index,
        reason=refusal.reason,
        explanation=refusal.explanation,
        recommendation=refusal.recommendation,
        asset_id=refusal.asset_id,
        rejected_at=_time_of(record),
        key=record.key,
        original=refusal.original,
    )


def _condemned(decoded: DecodedBatch, rejection: Rejection) -> RejectedReading:
    origin = decoded.origins[rejection.row]
    record = origin.record
    return RejectedReading(
        rejected_id=_rejected_id(record, origin.index),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        index=origin.index,
        reason=rejection.reason,
        rule=rejection.rule,
        explanation=rejection.explanation,
        recommendation=rejection.recommendation,
        asset_id=(record.key or b"").decode(),
        rejected_at=_time_of(record),
        key=record.key,
        original=origin.original,
    )


def _rejected_id(record: Record, index: int | None) -> str:
    place = f"{record.topic}/{record.partition}/{record.offset}"
    return place if index is None else f"{place}/{index}"


def _time_of(record: Record) -> datetime:
    # The broker's time, not a clock's: processing the record again gives the same event.
    return utc_from_us(record.received_us)
