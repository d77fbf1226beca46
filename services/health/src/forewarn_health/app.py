"""Logic of the health service: scored frames in, health and forecasts out."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from forewarn.adapters.catalogue import Catalogue
from forewarn.adapters.faust.engine import Action
from forewarn.adapters.faust.publisher import Outgoing
from forewarn.adapters.faust.quarantine import Handler
from forewarn.adapters.frames.turn import read_turn
from forewarn.adapters.removals import between_removals, read_removal
from forewarn.contracts.base import format_utc
from forewarn.contracts.frames import FrameKind
from forewarn.contracts.health import AssetHealth
from forewarn.contracts.readings import RejectionReason
from forewarn.contracts.topics import TopicName
from forewarn.domain.health.asset import judge
from forewarn.ports.lanes import Record
from forewarn.runtime.event_service import EventContext
from forewarn_health.foresight import Foresight
from forewarn_health.pacing import Pacing
from forewarn_health.profiles import Profiles
from forewarn_health.state import AssetState, observe

#: How often waiting assets are checked: well below the shortest interval between an asset's events.
_TICK_S: Final = 0.25

#: Results are published on ticks only, so a turn can be long: its readings share its cost.
GATHER_S: Final = _TICK_S

#: How often finished forecasts are collected and new ones started.
_FORESEE_S: Final = 1.0

_log = structlog.get_logger(__name__)


class HealthLogic:
    """Implements ``forewarn.runtime.event_service.EventLogic``."""

    def __init__(
        self,
        context: EventContext[AssetState],
        catalogue: Catalogue,
        profiles: Profiles,
        pacing: Pacing,
        foresight: Foresight,
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._profiles = profiles
        self._pacing = pacing
        self._foresight = foresight

    @property
    def handlers(self) -> Mapping[TopicName, Handler]:
        """Handler of scored frames."""
        return {TopicName.ANOMALY_SCORES: self._on_scores}

    @property
    def timers(self) -> Sequence[tuple[float, Action]]:
        """Publication at most once a tick, whatever the rate of frames; forecasts in the background."""
        return ((_TICK_S, self._publish_due), (_FORESEE_S, self._forecast))

    async def restored(self) -> None:
        """Publish every asset once: the last events before the restart may be missing."""
        self._pacing.restart(self._context.engine.states)
        self._foresight.restart(self._context.engine.states)

    async def _on_scores(self, batch: Sequence[Record]) -> None:
        for stretch, removal in between_removals(batch):
            await self._observe(stretch)
            if removal is not None:
                await self._forget(removal)

    async def _forget(self, incoming: Record) -> None:
        """Forget a removed asset and publish a tombstone behind its last event; a crash may repeat both."""
        removal = read_removal(incoming)
        if removal is None:
            await self._context.reject(incoming, RejectionReason.BAD_FRAME, "the message is not a removal")
            return
        asset_id, engine = removal.asset_id, self._context.engine
        if asset_id not in engine.states or engine.partition_of(asset_id) != incoming.partition:
            return
        gone = Outgoing(
            topic=TopicName.ASSET_HEALTH,
            key=asset_id,
            event=None,
            event_id=removal.removal_id,
            at=removal.removed_at,
            partition=incoming.partition,
        )
        await self._context.publish([gone])
        engine.remove(asset_id)
        for part in (self._pacing, self._foresight, self._profiles):
            part.forget(asset_id)

    async def _observe(self, batch: Sequence[Record]) -> None:
        turn = read_turn(batch, self._catalogue, FrameKind.ANOMALY)
        for incoming, problem in turn.unreadable:
            _log.warning("frame_rejected", partition=incoming.partition, offset=incoming.offset, reason=problem)
            await self._context.reject(incoming, RejectionReason.BAD_FRAME, problem)
        for joined in turn.frames:
            profiles = partial(self._profiles.of, joined.frame.asset_class)
            result = observe(self._context.engine.states, joined.frame, profiles)
            for asset_id, state in result.states.items():
                self._context.engine.put(asset_id, state, joined.partitions[asset_id])
            self._pacing.note(result.states)
            self._foresight.note(result.states)
            self._context.metrics.rows.labels(fate="applied").inc(result.applied)
            self._context.metrics.rows.labels(fate="skipped").inc(result.skipped)

    async def _publish_due(self) -> None:
        now_s = self._context.clock.monotonic_s()
        news: list[AssetHealth] = []
        for asset_id in self._pacing.due(now_s):
            health = self._judge(asset_id)
            if health is not None and self._pacing.is_news(health, now_s):
                self._pacing.published(health, now_s)
                news.append(health)
            else:
                self._pacing.postpone(asset_id, now_s)
        await self._context.publish([self._outgoing(health) for health in news])

    async def _forecast(self) -> None:
        """Take over finished forecasts and start the next ones, without waiting."""
        states = self._context.engine.states
        try:
            finished = self._foresight.finished()
        except Exception:  # noqa: BLE001  # caused by the data of a few assets, which are retried with their next bucket
            _log.exception("forecasts_failed")
            finished = {}
        for asset_id, foreseen in finished.items():
            if asset_id in states:  # its partition may have been released meanwhile
                after = states[asset_id].with_forecasts(foreseen)
                self._context.engine.put(asset_id, after, self._context.engine.partition_of(asset_id))
                self._pacing.note([asset_id])
        self._foresight.begin(states, self._context.clock.monotonic_s())

    def _judge(self, asset_id: str) -> AssetHealth | None:
        state = self._context.engine.states[asset_id]
        asset_class = self._catalogue.get(state.health.asset_class)
        if asset_class is None:
            return None
        try:
            health = judge(state.health, asset_class, self._profiles.of(asset_class, asset_id))
        except Exception:  # noqa: BLE001  # caused by the data of this asset; the others must be judged
            _log.exception("asset_not_judged", asset_id=asset_id)
            return None
        return None if health is None else health.model_copy(update={"forecasts": state.forecasts})

    def _outgoing(self, health: AssetHealth) -> Outgoing:
        return Outgoing(
            topic=TopicName.ASSET_HEALTH,
            key=health.asset_id,
            event=health,
            event_id=f"{health.asset_id}@{format_utc(health.ts)}",
            at=health.ts,
            partition=self._context.engine.partition_of(health.asset_id),
        )
