"""Composition root of the dashboard."""

import asyncio
import logging
import random
import threading

from forewarn.adapters.clock import SystemClock
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.http.limits import HttpLimits
from forewarn.runtime.http.server import GuardedServer
from forewarn.runtime.service import run_service, supervised
from forewarn_dashboard.app import Dashboard, build
from forewarn_dashboard.http_client import HttpPlantApi
from forewarn_dashboard.security import MAX_SOCKET_MESSAGE_BYTES
from forewarn_dashboard.settings import DashboardSettings

GRACE_S = 3


async def serve(settings: DashboardSettings) -> None:
    """Serve until a signal, which uvicorn handles."""
    token = settings.api_token.get_secret_value() if settings.api_token is not None else None
    async with HttpPlantApi(str(settings.api_url), token, baseline_readings=settings.baseline_readings) as api:
        clock = SystemClock()
        heartbeat = Heartbeat(clock)
        dashboard = await build(api, clock, random.Random(), settings.hosts)  # noqa: S311  # jitter, not secrets
        server = GuardedServer(
            dashboard.asgi,
            host=settings.dashboard_host,
            port=settings.dashboard_port,
            limits=HttpLimits(websocket_message_bytes=MAX_SOCKET_MESSAGE_BYTES),
            drain_s=GRACE_S,
            proxy_headers=True,
            heartbeat=heartbeat,
        )
        with supervised(settings, heartbeat, ready=lambda: None if server.started else "not listening yet"):
            await _run(server, dashboard)


async def _run(server: GuardedServer, dashboard: Dashboard) -> None:
    async with asyncio.TaskGroup() as group:
        background = [
            group.create_task(dashboard.hub.follow_feed()),
            group.create_task(dashboard.hub.follow_registry()),
        ]
        await server.serve()
        for task in background:
            task.cancel()


def main(settings: DashboardSettings, _stop: threading.Event) -> None:
    asyncio.run(serve(settings))


if __name__ == "__main__":
    logging.getLogger("httpx").setLevel("WARNING")  # noqa: TID251  # it logs every request
    run_service("dashboard", DashboardSettings, main)
