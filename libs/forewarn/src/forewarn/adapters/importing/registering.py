"""Registers the assets of a file before their readings are sent."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from forewarn.adapters.importing.sending import assets_at
from forewarn.adapters.kafka.config import group_id
from forewarn.adapters.kafka.errors import BrokerUnavailable, refusals
from forewarn.adapters.kafka.offsets import OffsetLookup
from forewarn.adapters.kafka.publisher import EventPublisher
from forewarn.adapters.kafka.registry import REGISTRY_READER, AssetRegistry
from forewarn.adapters.tables.table import TableError
from forewarn.contracts.assets import Asset
from forewarn.contracts.topics import TOPICS, TopicName, qualified
from forewarn.ports.clock import Clock
from forewarn.ports.store import Source

_PATIENCE_S: Final = 30.0
_ANSWER_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.1


class ImportRegistry:
    """The asset registry of a platform.

    Parameters
    ----------
    pause
        Waits for so many seconds.
    patience_s
        How long the validator may take to notice a new asset.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        clock: Clock,
        pause: Callable[[float], None],
        *,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.prefix = prefix
        self._clock = clock
        self._pause = pause
        self._patience_s = patience_s
        self._offsets = OffsetLookup(bootstrap_servers, "forewarn.import.offsets", timeout_s=_ANSWER_S, is_quiet=True)
        self._registry = AssetRegistry(bootstrap_servers, prefix, client_id="forewarn.import.assets")
        self._registry.wait_until_loaded(_PATIENCE_S)

    def class_of(self, asset_id: str) -> str | None:
        """Return the class of an asset; None if it is not registered."""
        asset = self._registry.get(asset_id)
        return None if asset is None else asset.asset_class

    def register(self, assets: Sequence[str], class_name: str, may: str | None, now: datetime) -> tuple[str, ...]:
        """Register new assets and wait until the validator knows them; returns them.

        Parameters
        ----------
        class_name
            Class of all of them.
        may
            What the user said the class is; None: new assets are a mistake.

        Raises
        ------
        TableError
            If one is registered with another class, or is new and nobody said its class.
        BrokerUnavailable
            If the validator does not read the registry: it would refuse readings of what it does not know.
        """
        other = [name for name in assets if self.class_of(name) not in (None, class_name)]
        if other:
            raise TableError(f"{assets_at(other)}: registered as {self.class_of(other[0])}, not as {class_name}")
        new = tuple(name for name in assets if self.class_of(name) is None)
        if new and may is None:
            raise TableError(f"{assets_at(new)}: not registered; say --class {class_name} to register them")
        publisher = EventPublisher(self.bootstrap_servers, self.prefix, source="/forewarn/import")
        for name in new:
            asset = Asset(asset_id=name, asset_class=class_name, name=name)
            publisher.publish(TopicName.ASSETS, name, asset, event_id=f"{name}/{now.isoformat()}", at=now)
        publisher.flush(_PATIENCE_S)
        if new:
            self._wait_for_validator()
        return new

    def close(self) -> None:
        """Stop following."""
        self._registry.close()
        self._offsets.close()

    def _wait_for_validator(self) -> None:
        topic, group = qualified(TopicName.ASSETS, self.prefix), group_id(REGISTRY_READER, self.prefix)
        sources = [Source(topic, number) for number in range(TOPICS[TopicName.ASSETS].partitions)]
        with refusals():
            ends = {source: end for source, (_, end) in self._offsets.bounds(sources).items()}
        until_s = self._clock.monotonic_s() + self._patience_s
        while True:
            with refusals():
                read = self._offsets.committed(group, sources)
            if all(read.get(source, 0) >= end for source, end in ends.items()):
                return
            if self._clock.monotonic_s() > until_s:
                raise BrokerUnavailable(
                    f"the validator has not noticed the new assets for {self._patience_s:g} s: does it run?"
                )
            self._pause(_LOOK_EVERY_S)
