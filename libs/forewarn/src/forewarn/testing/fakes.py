"""In-memory fakes of the API's ports, with switches for everything that can fail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from forewarn.adapters.disk import DiskSpace
from forewarn.adapters.event_codec import Envelope, topic_headers
from forewarn.adapters.forecasting.statsmodels_methods import StatsmodelsForecaster
from forewarn.adapters.live.state import LiveState
from forewarn.contracts.assets import Asset
from forewarn.contracts.base import Contract
from forewarn.contracts.topics import TopicName
from forewarn.domain.guard.batch import GuardSettings
from forewarn.ports.delivery import BrokerSilent, DeliveryOverloaded, OutgoingMessage, Undelivered
from forewarn.ports.progress import Progress
from forewarn.testing.api_examples import CATALOGUE, NOW, OTHER_PUMP, PUMP
from forewarn.testing.fake_history import FakeHistory
from forewarn.usecases.backend import Backend
from forewarn.usecases.workers import Workers, worker_thread


@dataclass
class StillClock:
    """A clock that moves only when set."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()


@dataclass
class FakeRegistry:
    """Assets in a dictionary."""

    assets: dict[str, Asset] = field(default_factory=lambda: {a.asset_id: a for a in (PUMP, OTHER_PUMP)})
    reason: str | None = None
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def change(self, asset_id: str, asset: Asset | None) -> None:
        """Register an asset; None removes it."""
        if asset is None:
            self.assets.pop(asset_id, None)
        else:
            self.assets[asset_id] = asset
        for on_change in tuple(self.listeners):
            on_change()

    def get(self, asset_id: str) -> Asset | None:
        return self.assets.get(asset_id)

    def all(self) -> Mapping[str, Asset]:
        return dict(self.assets)

    def count(self) -> int:
        return len(self.assets)

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(on_change)
        return lambda: self.listeners.remove(on_change)

    def problem(self) -> str | None:
        return self.reason


@dataclass
class FakeDelivery:
    """Records messages; positions in ``failing`` fail, ``away`` fails everything."""

    registry: FakeRegistry
    sent: list[OutgoingMessage] = field(default_factory=list)
    events: list[tuple[TopicName, str, Contract]] = field(default_factory=list)
    retracted: list[tuple[TopicName, str]] = field(default_factory=list)
    failing: frozenset[int] = frozenset()
    away: bool = False
    overloaded: bool = False

    async def send(self, messages: Sequence[OutgoingMessage]) -> tuple[Undelivered, ...]:
        if self.overloaded:
            raise DeliveryOverloaded("50000 messages wait for the broker")
        failed = [i for i in range(len(messages)) if self.away or i in self.failing]
        self.sent += [message for i, message in enumerate(messages) if i not in failed]
        return tuple(Undelivered(index=i, reason="Local: Message timed out") for i in failed)

    async def broadcast(self, message: OutgoingMessage) -> tuple[Undelivered, ...]:
        if self.away:
            raise BrokerSilent("Local: Broker transport failure")
        return await self.send([message] * 12)

    async def publish(
        self, topic: TopicName, key: str, event: Contract, *, event_id: str, at: datetime
    ) -> Undelivered | None:
        topic_headers(topic, event, Envelope(id=event_id, source="/fake", time=at, partition_key=key))
        if self.away:
            return Undelivered(index=0, reason="Local: Message timed out")
        self.events.append((topic, key, event))
        if isinstance(event, Asset):
            self.registry.change(event.asset_id, event)
        return None

    async def publish_all(
        self, topic: TopicName, events: Sequence[tuple[str, Contract, str]], *, at: datetime
    ) -> tuple[Undelivered, ...]:
        fates = [await self.publish(topic, key, event, event_id=event_id, at=at) for key, event, event_id in events]
        return tuple(Undelivered(index=i, reason=fate.reason) for i, fate in enumerate(fates) if fate is not None)

    async def retract(
        self,
        topic: TopicName,
        key: str,
        *,
        headers: Mapping[str, str],  # noqa: ARG002  # tests of headers read the topic
    ) -> Undelivered | None:
        if self.away:
            return Undelivered(index=0, reason="Local: Message timed out")
        self.retracted.append((topic, key))
        self.registry.change(key, None)
        return None

    async def ping(self) -> None:
        if self.away:
            raise BrokerSilent("Local: Broker transport failure")


@dataclass
class FakePlatform:
    """All fakes of one API, and its backend."""

    clock: StillClock = field(default_factory=StillClock)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    history: FakeHistory = field(default_factory=FakeHistory)
    live_problem: str | None = None
    progress: Progress | None = None
    max_assets: int = 50_000
    free_gb: float = 100.0

    def __post_init__(self) -> None:
        self.disk = DiskSpace(path=Path("/data"), reserve_gb=1.0, free_bytes=lambda _: int(self.free_gb * 1e9))
        self.live = LiveState(lambda: self.live_problem)
        self.delivery = FakeDelivery(self.registry)
        self._ids = 0
        self.backend = Backend(
            catalogue=CATALOGUE,
            registry=self.registry,
            live=self.live,
            history=self.history,
            delivery=self.delivery,
            forecaster=StatsmodelsForecaster(),
            guard=GuardSettings(),
            progress=self,
            clock=self.clock,
            new_id=self._new_id,
            workers=Workers(worker_thread),
            max_assets=self.max_assets,
            disk=self.disk,
        )

    def latest(self) -> Progress | None:
        return self.progress

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"
