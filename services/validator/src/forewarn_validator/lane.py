"""The validator stage: raw JSON in, valid frames and rejections out, on all partitions of a process."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.folded_refusals import folded
from forewarn.adapters.frames.codec import encode_by_partition
from forewarn.adapters.raw_readings import DecodedBatch, RawReadingDecoder
from forewarn.adapters.rejections import RefusedInput, rejection
from forewarn.adapters.removals import between_removals, pass_on, read_raw_removal
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.removal import AssetRemoval
from forewarn.contracts.topics import TopicName
from forewarn.domain.frames.partitions import asset_of, partition_key, partition_keys
from forewarn.domain.guard.batch import GuardSettings, Rejection
from forewarn.domain.guard.check import check
from forewarn.domain.guard.state import GuardState, dump, load
from forewarn.domain.progress import ProgressCallback, no_progress
from forewarn.domain.state.partitioned import PartitionedStates
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
        self._states: PartitionedStates[GuardState] = PartitionedStates()

    @decoder(StaleSnapshot)
    def open(self, partition: int, snapshot: bytes | None) -> None:
        """Open a lane, empty or from a snapshot."""
        self._states.add(partition, {} if snapshot is None else load(snapshot, self._catalogue))

    def process(self, records: Sequence[Record], on_progress: ProgressCallback = no_progress) -> TurnResult:
        """Decode and judge records; only duplicates are dropped, and those are counted."""
        counts: Counter[str] = Counter()
        outputs: list[Output] = []
        for readings, removal in between_removals(records):
            outputs += self._take(readings, counts, on_progress)
            if removal is not None:
                outputs += self._forget(removal, counts, on_progress)
        counts["with_ignored_tags"] += self._decoder.ignored.take()
        return TurnResult(outputs=tuple(outputs), counts=counts)

    def dump(self, partition: int) -> bytes:
        """Return the guard's state of a lane, serialised."""
        return dump(self._states.of(partition))

    def close(self, partition: int) -> None:
        """Drop a lane."""
        self._states.remove(partition)

    def _take(self, records: Sequence[Record], counts: Counter[str], on_progress: ProgressCallback) -> list[Output]:
        outputs: list[Output] = []
        left = iter(records)
        while (decoded := self._decoder.decode(left, on_progress)) != ([], []):
            outputs += self._judge_all(*decoded, counts)
            on_progress()
        return outputs

    def _forget(self, record: Record, counts: Counter[str], on_progress: ProgressCallback) -> list[Output]:
        """Forget a removed asset, here and downstream; anything but a removal is rejected as a reading."""
        removal = read_raw_removal(record.value)
        if removal is None or not self._is_gone(removal):
            return self._take([record], counts, on_progress)
        self._states.forget(partition_key(record.partition, removal.asset_id))
        return pass_on(removal, TopicName.READINGS_VALID, record.partition, self._catalogue)

    def _judge_all(
        self, batches: Sequence[DecodedBatch], refusals: Sequence[RefusedInput], counts: Counter[str]
    ) -> list[Output]:
        outputs: list[Output] = []
        refused = list(refusals)
        for decoded in batches:
            frames, condemned = self._judge(decoded, counts)
            outputs += frames
            refused += condemned
        counts["rejected"] += sum(refusal.readings for refusal in refused)
        return outputs + [rejection(refusal) for refusal in folded(refused)]

    def _judge(self, decoded: DecodedBatch, counts: Counter[str]) -> tuple[list[Output], list[RefusedInput]]:
        asset_class = decoded.batch.asset_class
        state = self._states.get(asset_class.name) or GuardState.empty(asset_class)
        partitions = np.array([record.partition for record in decoded.records], dtype=np.int64)
        batch = replace(decoded.batch, assets=partition_keys(decoded.batch.assets, partitions))
        result = check(batch, state, self._settings, self._plates_of(batch.assets.categories))
        self._states.put(asset_class.name, result.state)
        tally = result.counters
        counts.update(accepted=tally.accepted, warning=tally.warned, duplicate=tally.duplicate, late=tally.late)
        frames = [
            Output(topic=TopicName.READINGS_VALID, partition=partition, value=value)
            for partition, value in encode_by_partition(result.frame)
        ]
        return frames, [_condemned(decoded, rejection) for rejection in result.rejections]

    def _plates_of(self, names: Iterable[str]) -> Mapping[str, Mapping[str, float]]:
        """Return the nameplates of a batch's machines, which are those of their assets."""
        found = ((name, self._find_asset(asset_of(name))) for name in names)
        return {name: asset.nameplate for name, asset in found if asset is not None}


def _condemned(decoded: DecodedBatch, rejection: Rejection) -> RefusedInput:
    origin = decoded.origin(rejection.row)
    return RefusedInput(
        record=origin.record,
        index=origin.index,
        original=origin.original,
        reason=rejection.reason,
        rule=rejection.rule,
        explanation=rejection.explanation,
        recommendation=rejection.recommendation,
        asset_id=(origin.record.key or b"").decode(),
    )
