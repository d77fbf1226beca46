"""An event-plane service that breaks on request: ``python -m support.fragile_service``.

It answers each command; one that is ``raise`` raises, one that is ``kill`` ends the process at once, as a crash in a
library or the out-of-memory killer does.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forewarn.adapters.faust.engine import Action
from forewarn.adapters.faust.publisher import Outgoing
from forewarn.adapters.faust.quarantine import Handler
from forewarn.contracts.assets import CommandAnswer
from forewarn.contracts.topics import TopicName, TopicUse
from forewarn.domain.time import to_datetime
from forewarn.ports.lanes import Record
from forewarn.runtime.event_service import EventContext, EventService, EventServiceSettings, serve_events
from forewarn.runtime.service import run_service


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """How many commands of an asset were answered, and the offset of the last."""

    count: int
    last: int


class Fragile:
    """Implements ``forewarn.runtime.event_service.EventLogic``."""

    def __init__(self, context: EventContext[Handled]) -> None:
        self._context = context

    @property
    def handlers(self) -> Mapping[TopicName, Handler]:
        return {TopicName.COMMANDS: self._on_commands}

    @property
    def timers(self) -> Sequence[tuple[float, Action]]:
        return ()

    async def restored(self) -> None:
        pass

    async def _on_commands(self, batch: Sequence[Record]) -> None:
        for incoming in batch:
            asset_id = (incoming.key or b"").decode()
            before = self._context.engine.states.get(asset_id, Handled(count=0, last=-1))
            if incoming.offset <= before.last:
                continue
            value = (incoming.value or b"").decode()
            if value == "kill":
                os._exit(9)
            if value == "raise":
                raise ZeroDivisionError(value)
            after = Handled(count=before.count + 1, last=incoming.offset)
            self._context.engine.put(asset_id, after, incoming.partition)
            at = to_datetime(incoming.received_us)
            answer = CommandAnswer(command_id=value, asset_id=asset_id, answered_at=at)
            await self._context.publish(
                [
                    Outgoing(
                        topic=TopicName.COMMANDS_ANSWERS,
                        key=asset_id,
                        event=answer,
                        event_id=value,
                        at=at,
                    )
                ]
            )


def serve(settings: EventServiceSettings, stop: threading.Event) -> None:
    """Answer commands until ``stop``."""
    service = EventService(
        name="fragile",
        state=Handled,
        gather_s=0.05,
        topics=TopicUse(reads=(TopicName.COMMANDS,), writes=(TopicName.COMMANDS_ANSWERS, TopicName.READINGS_REJECTED)),
        logic=Fragile,
    )
    serve_events(settings, stop, service)


if __name__ == "__main__":
    run_service("fragile", EventServiceSettings, serve)
