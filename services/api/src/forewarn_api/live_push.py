"""Pushes the newest state of assets to WebSocket clients."""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from forewarn.contracts.alarms import Alarm
from forewarn.contracts.answers.assets import LiveJudgement
from forewarn.contracts.base import format_utc
from forewarn.ports.live import LiveAsset, NewestReading
from forewarn.usecases.backend import Backend
from forewarn.usecases.changes import Changes
from forewarn.usecases.errors import ConflictError
from forewarn.usecases.intervals import TWIN_KIND
from forewarn_api.metrics import LIVE_MESSAGES, SUBSCRIBERS
from forewarn_api.present import live_reading

#: Shortest time between two messages of changes to a client.
MIN_INTERVAL_S: Final = 0.5
#: Longest pause between messages, so that clients can distinguish silence from a dead connection.
HEARTBEAT_S: Final = 15.0
SEND_TIMEOUT_S: Final = 10.0
ASSETS_PER_MESSAGE: Final = 100
#: Places reserved for dashboards, in addition to those of other clients.
DASHBOARDS: Final = 8
ALARMS_PER_MESSAGE: Final = 500
#: Most assets that a client can follow.
MOST_ASSETS: Final = 1_000


def require_few(assets: int) -> None:
    """Raise ``ConflictError`` if there are too many assets to follow the whole plant."""
    if assets > MOST_ASSETS:
        detail = f"{assets} assets are too many to follow: name some, or only=alarms."
        raise ConflictError("too-many-assets", detail)


class LivePush:
    """All WebSocket clients of a process.

    Clients have no queues: after each pause a client gets the newest state of whatever has changed. So a slow client
    costs no more memory than a fast one, and skips what it missed.
    """

    def __init__(self, backend: Backend, changes: Changes, *, max_subscribers: int = 200) -> None:
        self._backend = backend
        self._changes = changes
        self._max_subscribers = max_subscribers
        self._readings: dict[str, tuple[NewestReading | None, LiveJudgement | None, str]] = {}
        self._others = 0
        self._dashboards = 0

    @property
    def subscribers(self) -> int:
        """Number of connected clients."""
        return self._others + self._dashboards

    def full(self, *, dashboard: bool) -> bool:
        """Return whether no further client is accepted."""
        return self._dashboards >= DASHBOARDS if dashboard else self._others >= self._max_subscribers

    async def serve(
        self, socket: WebSocket, wanted: Collection[str], *, only_alarms: bool = False, dashboard: bool = False
    ) -> None:
        """Push the ``wanted`` assets (empty: all) until the client leaves; ``only_alarms``: no readings or health."""
        self._count(1, dashboard=dashboard)
        try:
            async with asyncio.TaskGroup() as group:
                send = self._send_alarms(socket, wanted) if only_alarms else self._send_changes(socket, wanted)
                sender = group.create_task(send)
                talked = await _until_gone(socket)
                sender.cancel()
            if talked:
                await socket.close(1008, "this socket takes no messages")
        except* TimeoutError:
            await socket.close(1008, "the client does not keep up")
        except* ConflictError as exc:
            await socket.close(1008, str(exc.exceptions[0]))
        except* WebSocketDisconnect:
            pass  # it left while something was being sent
        finally:
            self._count(-1, dashboard=dashboard)

    def _count(self, change: int, *, dashboard: bool) -> None:
        if dashboard:
            self._dashboards += change
        else:
            self._others += change
        SUBSCRIBERS.inc(change)

    def reading_json(self, live: LiveAsset) -> str | None:
        """Return the newest reading as JSON, encoded once for all clients."""
        cached = self._readings.get(live.asset_id)
        if cached is not None and cached[0] is live.reading and cached[1] is live.judgement:
            return cached[2]
        reading = live_reading(live, self._backend.live.model(live.asset_id, TWIN_KIND))
        if reading is None:
            return None
        text = reading.model_dump_json()
        if len(self._readings) >= 2 * MOST_ASSETS:
            self._readings.clear()
        self._readings[live.asset_id] = (live.reading, live.judgement, text)
        return text

    async def _send_changes(self, socket: WebSocket, wanted: Collection[str]) -> None:
        live = self._backend.live
        known: dict[str, LiveAsset] = {}
        version = live.version
        await self._send(socket, known, _chosen(live.changed_since(0), wanted), first=True)
        while True:
            await asyncio.sleep(MIN_INTERVAL_S)
            if live.version == version:
                await self._changes.wait(HEARTBEAT_S - MIN_INTERVAL_S)
            if not wanted:
                require_few(self._backend.registry.count())
            await self._send_removed(socket, known)
            since, version = version, live.version
            await self._send(socket, known, _chosen(live.changed_since(since), wanted), first=False)

    async def _send_alarms(self, socket: WebSocket, wanted: Collection[str]) -> None:
        """Push open alarms only; free while none changes, however many assets send readings."""
        live = self._backend.live
        known: dict[str, Alarm] = {}
        kind = "snapshot"
        while True:
            version = live.alarm_version
            now = {alarm.alarm_id: alarm for alarm in live.alarms() if not wanted or alarm.asset_id in wanted}
            fresh = [alarm for key, alarm in now.items() if known.get(key) is not alarm]
            closed = [key for key in known if key not in now]
            known = now
            for start in range(0, max(len(fresh), 1), ALARMS_PER_MESSAGE):
                part = [alarm.model_dump_json() for alarm in fresh[start : start + ALARMS_PER_MESSAGE]]
                await self._send_news(socket, kind, _News(alarms=part, closed=closed))
                kind, closed = "update", []
            until_s = self._backend.clock.monotonic_s() + HEARTBEAT_S
            await asyncio.sleep(MIN_INTERVAL_S)
            while live.alarm_version == version and (left_s := until_s - self._backend.clock.monotonic_s()) > 0:
                await self._changes.wait(left_s)
                await asyncio.sleep(MIN_INTERVAL_S)  # readings count as changes too, and may never pause

    async def _send_removed(self, socket: WebSocket, known: dict[str, LiveAsset]) -> None:
        """Send the ids of removed assets."""
        removed = [asset_id for asset_id in known if self._is_removed(asset_id)]
        for asset_id in removed:
            del known[asset_id]
            self._readings.pop(asset_id, None)
        if removed:
            await self._send_news(socket, "update", _News(removed=removed))

    def _is_removed(self, asset_id: str) -> bool:
        """Return whether an asset is gone; a new one may send readings before the registry shows it."""
        if self._backend.registry.get(asset_id) is not None:
            return False
        live = self._backend.live.asset(asset_id)
        return live is None or live.reading is None

    async def _send_news(self, socket: WebSocket, kind: str, news: "_News") -> None:
        text = news.message(kind, self._backend.clock.now())
        async with asyncio.timeout(SEND_TIMEOUT_S):  # wait_for of Python 3.11 can miss the cancellation
            await socket.send_text(text)
        LIVE_MESSAGES.inc()

    async def _send(self, socket: WebSocket, known: dict[str, LiveAsset], assets: list[str], *, first: bool) -> None:
        """Send what changed about some assets, in several messages if they are many."""
        for start in range(0, max(len(assets), 1), ASSETS_PER_MESSAGE):
            found = (self._backend.live.asset(asset_id) for asset_id in assets[start : start + ASSETS_PER_MESSAGE])
            news = _News()
            for live in found:
                if live is not None:
                    self._add(news, known.get(live.asset_id), live)
                    known[live.asset_id] = live
            await self._send_news(socket, "snapshot" if first and start == 0 else "update", news)

    def _add(self, news: "_News", before: LiveAsset | None, live: LiveAsset) -> None:
        if before is None or before.reading is not live.reading or before.judgement is not live.judgement:
            text = self.reading_json(live)
            if text is not None:
                news.readings.append(text)
        if live.health is not None and (before is None or before.health is not live.health):
            news.health.append(live.health.model_dump_json())
        known = {} if before is None else before.alarms
        news.alarms += [a.model_dump_json() for key, a in live.alarms.items() if known.get(key) != a]
        news.closed += [key for key in known if key not in live.alarms]


@dataclass(slots=True)
class _News:
    """Parts of one message, each encoded as JSON."""

    readings: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def message(self, kind: str, at: datetime) -> str:
        """Return the message; without parts it is a heartbeat."""
        return (
            f'{{"type":"{kind}","at":"{format_utc(at)}","readings":[{",".join(self.readings)}],'
            f'"health":[{",".join(self.health)}],"alarms":[{",".join(self.alarms)}],'
            f'"closed_alarms":{json.dumps(self.closed)},"removed_assets":{json.dumps(self.removed)}}}'
        )


def _chosen(assets: Sequence[str], wanted: Collection[str]) -> list[str]:
    return [asset_id for asset_id in assets if not wanted or asset_id in wanted]


async def _until_gone(socket: WebSocket) -> bool:
    """Wait until the client leaves or sends a message, which ends the connection too; return whether it sent one."""
    message = await socket.receive()
    return bool(message["type"] != "websocket.disconnect")
