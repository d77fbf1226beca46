"""``python -m support.deadly_validator``: a validator whose process ends, or fails, at records of a certain content.

It stands for what no test can provoke at will: a crash inside a C library, a fault of our own, a lack of memory. Its
state of partition 0 is larger than a message may be.
"""

import os
import random
import threading
from collections.abc import Sequence

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.limits import MIB
from forewarn.contracts.topics import TopicName
from forewarn.domain.guard.batch import GuardSettings
from forewarn.domain.progress import ProgressCallback, no_progress
from forewarn.ports.lanes import Record, TurnResult
from forewarn.runtime.frame_config import FrameLoopConfig
from forewarn.runtime.frame_service import serve_lanes
from forewarn.runtime.service import run_service
from forewarn_validator.lane import ValidatorLanes
from forewarn_validator.settings import ValidatorSettings
from support.plant import PUMPS

ENDS_THE_PROCESS, RAISES, HANGS = b'"ends the process"', b'"raises"', b'"hangs"'
PADDING = random.Random(1).randbytes(18 * MIB)


class DeadlyLanes(ValidatorLanes):
    def process(self, records: Sequence[Record], on_progress: ProgressCallback = no_progress) -> TurnResult:
        for record in records:
            if ENDS_THE_PROCESS in (record.value or b""):
                os._exit(9)
            if HANGS in (record.value or b""):  # for a test by hand: the watchdog takes its time
                threading.Event().wait()
        result = super().process(records, on_progress)
        if any(RAISES in (record.value or b"") for record in records):
            raise RuntimeError("after the state has changed")
        return result

    def dump(self, partition: int) -> bytes:
        return super().dump(partition) + (PADDING if partition == 0 else b"")

    def open(self, partition: int, snapshot: bytes | None) -> None:
        if snapshot is not None and partition == 0:
            assert snapshot.endswith(PADDING)
            snapshot = snapshot.removesuffix(PADDING)
        super().open(partition, snapshot)


def main() -> None:
    assets = {asset.asset_id: asset for asset in PUMPS}
    lanes = DeadlyLanes(load_catalogue(), find_asset=assets.get, settings=GuardSettings())
    run_service(
        "validator",
        ValidatorSettings,
        lambda settings, stop: serve_lanes(
            FrameLoopConfig(
                settings=settings,
                service="validator",
                source=TopicName.READINGS_RAW,
                checkpoint=TopicName.VALIDATOR_CHECKPOINT,
            ),
            lanes,
            stop,
        ),
    )


if __name__ == "__main__":
    main()
