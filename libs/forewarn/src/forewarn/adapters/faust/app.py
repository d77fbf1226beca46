"""Faust applications with the settings the event plane needs."""

from dataclasses import dataclass
from typing import Final

import faust
from yarl import URL

from forewarn.adapters.faust.internals import App, Transport
from forewarn.adapters.kafka.config import group_id
from forewarn.contracts.topics import DEFAULT_PARTITIONS

_MIB: Final = 1024 * 1024

#: Messages in one agent's queue. Each may have megabytes, so Faust's default of 4,096 is too many.
_QUEUED_MESSAGES: Final = 64

#: After a kill -9 the group waits this long for a member without a static id.
_SESSION_TIMEOUT_S: Final = 10.0

#: Survives a restart of the broker; a longer outage ends the process, which the supervisor restarts.
_DELIVERY_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAppConfig:
    """Settings of one event-plane service.

    With ``instance``, a stable replica name, a restarted process rejoins its group at once.
    ``gather_s`` is how long the broker may hold messages back to send many at once.
    """

    service: str
    bootstrap_servers: str
    prefix: str
    instance: str
    gather_s: float

    @property
    def app_id(self) -> str:
        """Return the consumer group, which is also the prefix of the changelog topic."""
        return group_id(self.service, self.prefix)


def create_app(config: EventAppConfig) -> faust.App:
    """Make a Faust application; call it inside the event loop that will run it."""
    brokers = [URL(f"kafka://{server.strip()}") for server in config.bootstrap_servers.split(",")]
    app = App(
        config.app_id,
        broker=brokers,
        broker_client_id=f"forewarn.{config.service}.{config.instance}",
        broker_session_timeout=_SESSION_TIMEOUT_S,
        broker_heartbeat_interval=2.0,
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{config.app_id}.{config.instance}" if config.instance else None,
        consumer_max_fetch_size=4 * _MIB,
        # a static member must keep its address: Faust's assignor compares it after a restart
        canonical_url=f"http://{config.instance or config.service}",
        producer_compression_type="zstd",  # a third less to store than lz4; events are few
        producer_linger=0.005,
        producer_max_request_size=16 * _MIB,
        producer_request_timeout=_DELIVERY_TIMEOUT_S,
        store="memory://",
        table_standby_replicas=0,  # restoring takes a second
        stream_buffer_maxsize=_QUEUED_MESSAGES,
        stream_wait_empty=False,
        topic_allow_declare=False,  # check_topics and ensure_changelog did that before
        topic_disable_leader=True,
        topic_partitions=DEFAULT_PARTITIONS,
        web_enabled=False,
        autodiscover=False,
    )
    app.transport = Transport(brokers, app, gather_s=config.gather_s)
    return app
