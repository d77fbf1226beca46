"""Composition root of the sink: ``python -m forewarn_sink``."""

import threading
import uuid
from typing import Final

import numpy as np

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.clock import SystemClock
from forewarn.adapters.kafka.config import group_id
from forewarn.adapters.kafka.inbox import Inbox
from forewarn.adapters.kafka.membership import Membership
from forewarn.adapters.timescale.store import TimescaleStore
from forewarn.contracts.topics import qualified
from forewarn.runtime.heartbeat import Heartbeat
from forewarn.runtime.service import run_service, supervised
from forewarn_sink.backoff import Backoff
from forewarn_sink.decoding import SOURCES, ItemDecoder
from forewarn_sink.metrics import SinkMetrics
from forewarn_sink.settings import SinkSettings
from forewarn_sink.writer import Writer, WriterConfig

_FIRST_RETRY_S: Final = 0.2
_HANGS_AFTER_S: Final = 180.0  # a statement may take 60 s, and there are several between two beats


def main(settings: SinkSettings, stop: threading.Event) -> None:
    """Store frames and events until ``stop`` is set.

    Raises ``KafkaException`` if the broker denies access.
    """
    clock = SystemClock()
    heartbeat = Heartbeat(clock, limit_s=_HANGS_AFTER_S)
    catalogue = load_catalogue(settings.catalogue_path)
    prefix = settings.kafka_topic_prefix
    store = TimescaleStore(
        str(settings.database_url),
        catalogue,
        application=f"forewarn-sink {settings.service_instance}".strip(),
        claimant=uuid.uuid4().hex,
    )
    group, instance = group_id("sink", prefix), settings.service_instance
    inbox = Inbox(
        Membership(
            bootstrap_servers=settings.kafka_bootstrap_servers,
            group=group,
            client_id=f"{group}.{instance}" if instance else group,
            is_static=bool(instance),
            topics=[qualified(name, prefix) for name in SOURCES],
        )
    )
    writer = Writer(
        inbox,
        store,
        ItemDecoder(catalogue, prefix),
        config=WriterConfig(
            max_rows=settings.sink_max_rows,
            linger_s=settings.sink_linger_s,
            retention_interval_s=settings.retention_interval_s,
        ),
        clock=clock,
        backoff=Backoff(np.random.default_rng(), first_s=_FIRST_RETRY_S, limit_s=settings.sink_retry_limit_s),
        metrics=SinkMetrics(),
        heartbeat=heartbeat,
    )
    try:
        with supervised(settings, heartbeat, ready=writer.not_ready):
            writer.run(stop)
    finally:
        inbox.close()
        store.close()


if __name__ == "__main__":
    run_service("sink", SinkSettings, main)
