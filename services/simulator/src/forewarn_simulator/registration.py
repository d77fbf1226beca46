"""Enters the plant's machines into the asset registry, once.

The registry is also the simulator's memory: a machine's life, and with it the timing of its faults, begins at the
time of its entry. So a restart continues where the plant was, without a state file.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.history import PartitionReader
from forewarn.adapters.kafka.publisher import EventPublisher
from forewarn.adapters.retrying import retry
from forewarn.contracts.assets import Asset
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from forewarn.domain.time import US_PER_S

_log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 30.0
_RETRY_S: Final = 1.0

#: The registry's readers know a new asset within this time; readings sent earlier might be rejected.
_SETTLING_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """When an asset entered the registry [s since 1970 UTC], and whether that was just now."""

    at_s: float
    is_new: bool


def register(
    assets: Iterable[Asset],
    bootstrap_servers: str,
    prefix: str,
    *,
    now: datetime,
    stop: threading.Event,
    on_wait: Callable[[], None] = lambda: None,
) -> dict[str, Registration]:
    """Register new assets; entries that exist are left alone, as people may have edited them.

    Waits for the broker, calling ``on_wait`` every half minute; if ``stop`` is set first, nothing is registered.

    Raises ``DeliveryError`` if the broker refuses an entry.
    """
    known = _registered(bootstrap_servers, prefix, stop, on_wait)
    if known is None:
        return {}
    outcome = {asset_id: Registration(at_s=at_s, is_new=False) for asset_id, at_s in known.items()}
    missing = [asset for asset in assets if asset.asset_id not in known]
    if missing:
        publisher = EventPublisher(bootstrap_servers, prefix, source="/forewarn/simulator")
        for asset in missing:
            event_id = f"{asset.asset_id}/{now.isoformat()}"
            publisher.publish(TopicName.ASSETS, asset.asset_id, asset, event_id=event_id, at=now)
            outcome[asset.asset_id] = Registration(at_s=now.timestamp(), is_new=True)
        publisher.flush(_PATIENCE_S)
        _log.info("assets_registered", count=len(missing), first=missing[0].asset_id, last=missing[-1].asset_id)
        stop.wait(_SETTLING_S)
    return outcome


def _registered(
    bootstrap_servers: str, prefix: str, stop: threading.Event, on_wait: Callable[[], None]
) -> dict[str, float] | None:
    """Return the time of the entry of every registered asset [s]; None if ``stop`` was set first."""
    reader = PartitionReader(bootstrap_servers, client_id="forewarn.simulator.assets", patience_s=_PATIENCE_S)
    topic = qualified(TopicName.ASSETS, prefix)

    def wait(problem: BaseException) -> None:
        _log.warning("waiting_for_broker", reason=str(problem))
        on_wait()

    try:
        return retry(
            lambda: registered_times(reader, topic),
            lambda problem: isinstance(problem, BrokerUnavailable),
            on_wait=wait,
            pause_s=_RETRY_S,
            stop=stop,
        )
    except BrokerUnavailable:
        return None  # only a stop ends the attempts
    finally:
        reader.close()


def registered_times(reader: PartitionReader, topic: str) -> dict[str, float]:
    """Return the time of the entry of every registered asset [s since 1970 UTC]."""
    entries: dict[str, float] = {}
    for partition in range(TOPICS[TopicName.ASSETS].partitions):
        low, high = reader.bounds(topic, partition)
        for records in reader.read(topic, partition, low, high):
            for record in records:
                asset_id = (record.key or b"").decode(errors="replace")
                if record.value is None:
                    entries.pop(asset_id, None)
                else:
                    entries[asset_id] = record.received_us / US_PER_S
    return entries
