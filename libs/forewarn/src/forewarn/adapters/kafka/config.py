"""Client settings that every Kafka client of the platform shares."""

from typing import Any, Final

#: Java's default partitioner, so that Java, Python and Faust producers put an asset into the same partition.
PARTITIONER: Final = "murmur2_random"

_MIB: Final = 1024 * 1024
_COMMON: Final[dict[str, Any]] = {
    "reconnect.backoff.ms": 100,
    "reconnect.backoff.max.ms": 2_000,
    "socket.keepalive.enable": True,
    "log.connection.close": False,  # brokers close idle connections: not worth a log line
}

# What waits in the client is bounded by the size of one answer of the broker. The queue's own limits are not enough:
# they count neither headers nor what a compressed batch becomes; 200 compressed messages of 7.9 MB took 1.6 GB. What is
# larger than an answer still comes, alone. Readings of 300 B come as fast as with answers of 64 MiB, which took 425 MB.
_SMALL_FETCHES: Final[dict[str, Any]] = {
    "fetch.message.max.bytes": _MIB // 16,
    "fetch.max.bytes": _MIB // 2,
    "message.max.bytes": _MIB // 2,  # else the library raises fetch.max.bytes to its default; a consumer sends none
    "queued.min.messages": 1,
    "queued.max.messages.kbytes": 8 * 1024,
    "fetch.queue.backoff.ms": 2,
}


def producer_config(bootstrap_servers: str, *, client_id: str, **overrides: object) -> dict[str, Any]:
    """Return settings of a producer that neither loses nor duplicates: idempotent, all replicas, bounded queue."""
    return {
        **_COMMON,
        "bootstrap.servers": bootstrap_servers,
        "client.id": client_id,
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": PARTITIONER,
        "compression.type": "lz4",
        "linger.ms": 5,
        "batch.size": _MIB,
        "message.max.bytes": 16 * _MIB,
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 128 * 1024,
        **overrides,
    }


def consumer_config(bootstrap_servers: str, *, group_id: str, client_id: str, **overrides: object) -> dict[str, Any]:
    """Return settings of a consumer that reads only committed data and never commits by itself."""
    return {
        **_COMMON,
        "bootstrap.servers": bootstrap_servers,
        "group.id": group_id,
        "client.id": client_id,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 2_000,
        "max.poll.interval.ms": 300_000,
        **_SMALL_FETCHES,
        **overrides,
    }


def read_ahead(queued_bytes: int) -> dict[str, Any]:
    """Return settings of a consumer that reads ahead at most so many bytes while it works.

    Answers stay as small as for everyone: 8 MiB of one can be 60 messages of 10 MB that LZ4 had made 40 kB each.
    """
    return {
        "fetch.message.max.bytes": _SMALL_FETCHES["fetch.max.bytes"],  # one partition may fill an answer
        "queued.min.messages": 100_000,  # never reached: bytes are the limit
        "queued.max.messages.kbytes": queued_bytes // 1024,
    }


def group_id(service: str, prefix: str) -> str:
    """Return the consumer group of a service."""
    return f"{prefix}forewarn.{service}"
