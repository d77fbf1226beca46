"""Makes sure that the assets of a file are registered before their readings come."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from forewarn.adapters.importing.sending import assets_at
from forewarn.adapters.kafka.publisher import EventPublisher
from forewarn.adapters.kafka.registry import AssetRegistry
from forewarn.adapters.tables.table import TableError
from forewarn.contracts.assets import Asset
from forewarn.contracts.topics import TopicName

_PATIENCE_S: Final = 30.0

#: Followers of the registry learn of a new asset within this time; readings sent earlier might be refused.
_SETTLING_S: Final = 2.0


class Registry:
    """The asset registry of a platform."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.prefix = prefix
        self._registry = AssetRegistry(bootstrap_servers, prefix, client_id="forewarn.import.assets")
        self._registry.wait_until_loaded(_PATIENCE_S)

    def class_of(self, asset_id: str) -> str | None:
        """Class of an asset; None if nobody registered it."""
        asset = self._registry.get(asset_id)
        return None if asset is None else asset.asset_class

    def register(self, assets: Sequence[str], class_name: str, may: str | None, now: datetime) -> tuple[str, ...]:
        """Register those that are not yet; returns them.

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
            time.sleep(_SETTLING_S)
        return new

    def close(self) -> None:
        """Stop following."""
        self._registry.close()
