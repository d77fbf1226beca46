"""Readings of all partitions of a process: raw JSON in, valid frames and rejections out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from forewarn.adapters.arrow_codec import encode_by_partition
from forewarn.adapters.event_codec import encode_event
from forewarn.adapters.raw_readings import DecodedBatch, RawReadingDecoder
from forewarn.adapters.raw_refusals import Refusal
from forewarn.adapters.removals import between_removals, pass_on, read_raw_removal
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.readings import RejectedReading
from forewarn.contracts.removal import AssetRemoval
from forewarn.contracts.topics import TopicName
from forewarn.domain.guard.batch import GuardSettings, Rejection
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState, dump, load
from forewarn.domain.machine_states import MachineStates
from forewarn.domain.machines import asset_of, machine, machines
from forewarn.domain.progress import Alive, unwatched
from forewarn.domain.rows import to_datetime
from forewarn.ports.lanes import Output, Record, StaleSnapshot, TurnResult


class ValidatorLanes:
    """Implements ``forewarn.ports.lanes.Lanes`` with the guard."""

    def __init__(
        self,
        catalogue: Mapping[str, AssetClass],
        *,
        find_asset: Callable[[str], Asset | None],
        settings: GuardSettings,
        is_gone: Callable[[AssetRemoval], bool] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._decoder = RawReadingDecoder(catalogue, find_asset)
        self._find_asset = find_asset
        self._is_gone = is_gone or (lambda removal: find_asset(removal.asset_id) is None)
        self._settings = settings
        self._states: MachineStates[GuardState] = MachineStates()

    def open(self, partition: int, snapshot: bytes | None) -> None:
        """Begin a lane, empty or from a snapshot."""
        try:
            self._states.add(partition, {} if snapshot is None else load(snapshot, self._catalogue))
        except ValueError as exc:
            raise StaleSnapshot(str(exc)) from exc

    def process(self, records: Sequence[Record], alive: Alive = unwatched) -> TurnResult:  # noqa: ARG002  # never takes long
        """Decode and judge records; nothing is dropped but duplicates, and those are counted."""
        counts: Counter[str] = Counter()
        outputs: list[Output] = []
        for readings, removal in between_removals(records):
            outputs += self._take(readings, counts)
            if removal is not None:
                outputs += self._forget(removal, counts)
        return TurnResult(outputs=tuple(outputs), counts=counts)

    def dump(self, partition: int) -> bytes:
        """Serialise the guard's memory of a lane."""
        return dump(self._states.of(partition))

    def close(self, partition: int) -> None:
        """Forget a lane."""
        self._states.remove(partition)

    def _take(self, records: Sequence[Record], counts: Counter[str]) -> list[Output]:
        if not records:
            return []
        batches, refusals = self._decoder.decode(records)
        counts.update(rejected=len(refusals), with_ignored_tags=self._decoder.ignored.take())
        outputs = [_rejected(_refused(refusal)) for refusal in refusals]
        for decoded in batches:
            outputs += self._judge(decoded, counts)
        return outputs

    def _forget(self, record: Record, counts: Counter[str]) -> list[Output]:
        """Forget a removed asset, and let the stages behind forget it; what is no removal is refused as a reading."""
        removal = read_raw_removal(record.value)
        if removal is None or not self._is_gone(removal):
            return self._take([record], counts)
        self._states.forget(machine(record.partition, removal.asset_id))
        return pass_on(removal, TopicName.READINGS_VALID, record.partition, self._catalogue)

    def _judge(self, decoded: DecodedBatch, counts: Counter[str]) -> list[Output]:
        asset_class = decoded.batch.asset_class
        state = self._states.get(asset_class.name) or GuardState.empty(asset_class)
        partitions = np.array([record.partition for record in decoded.records], dtype=np.int64)
        batch = replace(decoded.batch, assets=machines(decoded.batch.assets, partitions))
        result = check(batch, state, self._settings, self._plates_of(batch.assets.categories))
        self._states.put(asset_class.name, result.state)
        tally = result.counters
        counts.update(
            accepted=tally.accepted,
            warning=tally.warned,
            rejected=tally.rejected,
            duplicate=tally.duplicate,
            late=tally.late,
        )
        outputs = [
            Output(topic=TopicName.READINGS_VALID, partition=partition, value=value)
            for partition, value in encode_by_partition(result.frame)
        ]
        return outputs + [_rejected(_condemned(decoded, rejection)) for rejection in result.rejections]

    def _plates_of(self, names: Iterable[str]) -> Mapping[str, Mapping[str, float]]:
        """Rated values of the machines of a batch: those of their assets."""
        found = ((name, self._find_asset(asset_of(name))) for name in names)
        return {name: asset.nameplate for name, asset in found if asset is not None}


def _rejected(event: RejectedReading) -> Output:
    key = event.asset_id.encode() if event.asset_id else event.key
    return Output(topic=TopicName.READINGS_REJECTED, key=key, value=encode_event(event))


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
    origin = decoded.origin(rejection.row)
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
    return to_datetime(record.received_us)
