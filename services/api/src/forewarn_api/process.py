"""Composition root of the API."""

import threading
import uuid
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.adapters.forecasting.statsmodels_methods import StatsmodelsForecaster
from forewarn.adapters.kafka.command_group import CommandGroup
from forewarn.adapters.kafka.delivery import KafkaDelivery
from forewarn.adapters.kafka.registry import AssetRegistry
from forewarn.adapters.live.feed import KafkaLiveFeed
from forewarn.adapters.live.progress import KafkaProgress
from forewarn.adapters.timescale.history import TimescaleHistory
from forewarn.domain.guard.batch import GuardSettings
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.http.limits import HttpLimits
from forewarn.runtime.http.server import GuardedServer
from forewarn.runtime.service import supervised
from forewarn.usecases.backend import Backend
from forewarn.usecases.workers import Workers, worker_process
from forewarn_api.app import make_app
from forewarn_api.live_push import DASHBOARDS
from forewarn_api.metrics import LIVE_IGNORED, WORK_REFUSED
from forewarn_api.settings import ApiSettings
from forewarn_api.twin_commands import TwinCommandHandler

#: Places for WebSockets in their handshake.
_HANDSHAKES: Final = 50
#: How long requests under way may take after SIGTERM; the service exits within 10 s.
_DRAIN_S: Final = 5
_log = structlog.get_logger(__name__)


def main(settings: ApiSettings, stop: threading.Event) -> None:
    """Serve until ``stop`` is set.

    Raises ``RuntimeError`` after a failure that only a restart cures.
    """
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    catalogue = load_catalogue(settings.catalogue_path)
    servers, prefix = settings.kafka_bootstrap_servers, settings.kafka_topic_prefix
    name = f"{prefix}forewarn.api"
    history = TimescaleHistory(settings.database_url.unicode_string(), catalogue)
    delivery = _delivery(settings)
    assets = AssetRegistry(servers, prefix, client_id=f"{name}.assets")
    feed = KafkaLiveFeed(
        servers,
        prefix,
        catalogue,
        client_id=f"{name}.live",
        clock=clock,
        on_ignored=lambda topic: LIVE_IGNORED.labels(topic=topic).inc(),
    )
    progress = KafkaProgress(servers, prefix, clock)
    backend = Backend(
        catalogue=catalogue,
        registry=assets,
        live=feed.view,
        history=history,
        delivery=delivery,
        forecaster=StatsmodelsForecaster(),
        guard=GuardSettings(strict=settings.physics_strict_mode),
        progress=progress,
        clock=clock,
        new_id=lambda: uuid.uuid4().hex,
        workers=Workers(
            partial(worker_process, ["forewarn_api.jobs"]),
            on_refused=lambda work: WORK_REFUSED.labels(work.value).inc(),
        ),
        disk=settings.disk(),
        max_assets=settings.api_max_assets,
    )
    commands = TwinCommandHandler(backend, CommandGroup(servers, prefix, service="api"))
    token, origins = settings.api_token.get_secret_value(), settings.api_allowed_origins
    app = make_app(
        backend,
        token=token,
        allowed_origins=origins,
        max_subscribers=settings.api_max_subscribers,
        resources=[history, commands],
    )

    def failure() -> str | None:
        return feed.failure() or assets.failure() or commands.failure()

    server = GuardedServer(
        app,
        host=settings.api_host,
        port=settings.api_port,
        limits=_limits(settings),
        drain_s=_DRAIN_S,
        heartbeat=heartbeat,
        is_over=lambda: stop.is_set() or failure() is not None,
    )
    feed.start()
    progress.start()
    try:
        with supervised(settings, heartbeat, ready=backend.not_ready, failure=failure):
            _log.info("api_starting", host=settings.api_host, port=settings.api_port)
            server.run()
        problem = failure()
        if problem is not None:
            raise RuntimeError(problem)
    finally:
        feed.close()
        progress.close()
        assets.close()
        delivery.close()


def _delivery(settings: ApiSettings) -> KafkaDelivery:
    return KafkaDelivery(
        settings.kafka_bootstrap_servers,
        settings.kafka_topic_prefix,
        source="/forewarn/api",
        timeout_s=settings.api_delivery_timeout_s,
        max_under_way=settings.api_max_under_way,
    )


def _limits(settings: ApiSettings) -> HttpLimits:
    subscribers = settings.api_max_subscribers + DASHBOARDS
    usual = HttpLimits()
    return replace(
        usual, websockets=subscribers + _HANDSHAKES, connections=usual.connections + subscribers + _HANDSHAKES
    )
