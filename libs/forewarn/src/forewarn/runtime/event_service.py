"""What health and alerting share: settings, the Faust application with its engine, probes, metrics."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import uvloop
from pydantic import Field, TypeAdapter

from forewarn.adapters.clock import SystemClock
from forewarn.adapters.faust.app import EventAppConfig, create_app
from forewarn.adapters.faust.engine import Action, EventEngine
from forewarn.adapters.faust.publisher import FaustPublisher, Outgoing, raw_topic
from forewarn.adapters.faust.quarantine import Handler
from forewarn.adapters.faust.runner import run_app
from forewarn.adapters.kafka.admin import ensure_changelog
from forewarn.adapters.kafka.cluster import check_topics, look_at_cluster
from forewarn.adapters.rejections import RefusedInput, rejected_reading
from forewarn.contracts.readings import RejectionReason
from forewarn.contracts.topics import TopicName, TopicUse
from forewarn.ports.clock import Clock
from forewarn.ports.codec import one_line
from forewarn.ports.lanes import Record
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.metrics import EventMetrics
from forewarn.runtime.service import supervised
from forewarn.runtime.settings import KafkaSettings

StateT = TypeVar("StateT")

_BEAT_S: Final = 1.0

_FOREIGN: Final = "Find out what wrote this message: only Forewarn's own services write to this topic"
_RECOMMENDATIONS: Final = {
    RejectionReason.QUARANTINED: "Report this with the log of the service: no message may stop one. The original is "
    "kept; send it again after an update",
}
_BROKER_TIMEOUT_S: Final = 30.0


class EventServiceSettings(KafkaSettings):
    """Settings of an event-plane service."""

    checkpoint_interval_s: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="Time between checkpoints of the state; after a crash, messages since then are read again.",
    )
    kafka_replication_factor: int = Field(
        default=-1, ge=-1, description="Replicas of the changelog topic; -1 leaves it to the broker."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventContext(Generic[StateT]):
    """Dependencies of a service's logic."""

    engine: EventEngine[StateT]
    publisher: FaustPublisher
    clock: Clock
    metrics: EventMetrics

    async def publish(self, items: Sequence[Outgoing]) -> None:
        """Publish events in order and wait until the broker has them."""
        sent = [await self.publisher.send(item) for item in items]
        await asyncio.gather(*sent)
        for item in items:
            self.metrics.written.labels(topic=item.topic.value).inc()

    async def reject(self, incoming: Record, reason: RejectionReason, explanation: str) -> None:
        """Set aside a message that cannot be read, with the reason."""
        self.metrics.rejected.labels(topic=incoming.topic).inc()
        refusal = RefusedInput(
            record=incoming,
            original=incoming.value or b"",
            reason=reason,
            explanation=one_line(explanation),
            recommendation=_RECOMMENDATIONS.get(reason, _FOREIGN),
        )
        event = rejected_reading(refusal)
        name = event.rejected_id
        topic = TopicName.READINGS_REJECTED
        await self.publish([Outgoing(topic=topic, key=name, event=event, event_id=name, at=event.rejected_at)])

    async def quarantine(self, incoming: Record, explanation: str) -> None:
        """Set aside a message that can be read but not handled."""
        self.metrics.quarantined.labels(topic=incoming.topic).inc()
        await self.reject(incoming, RejectionReason.QUARANTINED, explanation)


class EventLogic(Protocol):
    """Logic of a service. An exception ends the process, not just the agent."""

    @property
    def handlers(self) -> Mapping[TopicName, Handler]:
        """Return the handler of each source topic."""
        ...

    @property
    def timers(self) -> Sequence[tuple[float, Action]]:
        """Return periodic actions with their intervals in seconds."""
        ...

    async def restored(self) -> None:
        """Continue from restored states; called after each assignment, before its first messages."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventService(Generic[StateT]):
    """An event-plane service; the messages of about ``gather_s`` are handled in one turn."""

    name: str
    state: type[StateT]
    gather_s: float
    topics: TopicUse
    logic: Callable[[EventContext[StateT]], EventLogic]


def serve_events(settings: EventServiceSettings, stop: threading.Event, service: EventService[StateT]) -> None:
    """Run a service until ``stop`` is set.

    Raises ``TopicMissingError`` or ``TopicMismatchError`` if a topic is missing or has the wrong number of partitions.
    Exceptions of handlers pass through: the process must end so that its supervisor restarts it.
    """
    _quieten_faust(settings)
    # measured: with uvloop, a message costs a sixth less
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, stop, service))


def _quieten_faust(settings: EventServiceSettings) -> None:
    """Turn down the libraries' loggers: Faust logs every step and warns of timers delayed by the current event."""
    if settings.log_level != "DEBUG":
        for name, level in (
            ("faust", "WARNING"),
            ("mode", "WARNING"),
            ("aiokafka", "WARNING"),
            ("mode.timers", "ERROR"),
        ):
            logging.getLogger(name).setLevel(level)  # noqa: TID251  # the libraries log through the standard library


async def _serve(settings: EventServiceSettings, stop: threading.Event, service: EventService[StateT]) -> None:
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    app = create_app(
        EventAppConfig(
            service=service.name,
            bootstrap_servers=settings.kafka_bootstrap_servers,
            prefix=settings.kafka_topic_prefix,
            instance=settings.service_instance,
            gather_s=service.gather_s,
        )
    )

    async def set_aside(incoming: Record, why: str) -> None:
        await context.quarantine(incoming, why)

    async def progress() -> None:
        heartbeat.beat()
        await asyncio.sleep(0)  # let probes and group heartbeats run

    engine: EventEngine[StateT] = EventEngine(app, TypeAdapter(service.state), set_aside=set_aside, progress=progress)
    publisher = FaustPublisher(app, settings.kafka_topic_prefix, source=f"/forewarn/{service.name}")
    context = EventContext(engine=engine, publisher=publisher, clock=clock, metrics=EventMetrics())
    logic = service.logic(context)
    cluster = await asyncio.to_thread(look_at_cluster, settings.kafka_bootstrap_servers, _BROKER_TIMEOUT_S)
    check_topics(cluster, settings.kafka_topic_prefix, {*service.topics.reads, *service.topics.writes})
    await asyncio.to_thread(
        ensure_changelog,
        settings.kafka_bootstrap_servers,
        engine.changelog,
        replication_factor=settings.kafka_replication_factor,
    )
    engine.on_restored(logic.restored)
    for name, handler in logic.handlers.items():
        engine.agent(raw_topic(app, name, settings.kafka_topic_prefix), _counted(name, handler, context.metrics))
    for interval_s, action in logic.timers:
        engine.every(interval_s, action)
    engine.every(settings.checkpoint_interval_s, lambda: _checkpoint(context))

    beating = asyncio.create_task(_beat(heartbeat))
    try:
        with supervised(settings, heartbeat, ready=lambda: _not_ready(engine)):
            await run_app(app, engine, stop)
    finally:
        beating.cancel()


async def _beat(heartbeat: Heartbeat) -> None:
    """Beat while the event loop runs; it stands still while a handler computes."""
    while True:
        heartbeat.beat()
        await asyncio.sleep(_BEAT_S)


def _counted(name: TopicName, handler: Handler, metrics: EventMetrics) -> Handler:
    read = metrics.read.labels(topic=name.value)

    async def handle(batch: Sequence[Record]) -> None:
        await handler(batch)
        read.inc(len(batch))

    return handle


async def _checkpoint(context: EventContext[StateT]) -> None:
    context.metrics.assets.set(len(context.engine.states))
    with context.metrics.checkpoint_seconds.time():
        await context.engine.checkpoint()


def _not_ready(engine: EventEngine[StateT]) -> str | None:
    return None if engine.ready else "states are not restored yet"
