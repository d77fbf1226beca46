"""The guard itself: a pure step from (batch, state) to (verdicts, state)."""

from forewarn.domain.guard.batch import GuardResult, GuardSettings, Nameplates, RawBatch
from forewarn.domain.guard.state import GuardState


def check(batch: RawBatch, state: GuardState, settings: GuardSettings, nameplates: Nameplates) -> GuardResult:
    """Judge a batch of readings of one class.

    Any cutting of a stream into batches gives the same frames, rejections and state.
    """
    raise NotImplementedError
