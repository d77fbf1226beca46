"""The asset registry as the API asks it."""

from collections.abc import Callable, Mapping

from confluent_kafka import KafkaException

from forewarn.adapters.kafka.errors import BrokerUnavailable
from forewarn.adapters.kafka.registry import AssetRegistry
from forewarn.contracts.assets import Asset


class KafkaRegistry:
    """Implements ``forewarn_api.backend.Registry`` with the thread that follows the topic ``assets``."""

    def __init__(self, assets: AssetRegistry) -> None:
        self._assets = assets

    def get(self, asset_id: str) -> Asset | None:
        """The asset, or None if nobody registered it."""
        return self._assets.get(asset_id)

    def all(self) -> Mapping[str, Asset]:
        """Every asset by id."""
        return self._assets.all()

    def count(self) -> int:
        """How many assets are registered."""
        return self._assets.count()

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_change`` after changes, from a thread; returns the function that ends it."""
        return self._assets.listen(on_change)

    def problem(self) -> str | None:
        """Why the registry is not complete; None when it is."""
        if self.failure() is not None:
            return self.failure()
        try:
            self._assets.wait_until_loaded(0)
        except BrokerUnavailable:
            return "the asset registry is still being read: is the broker up and are the topics made?"
        return None

    def failure(self) -> str | None:
        """Why the registry will never be complete; None if it may."""
        try:
            self._assets.check()
        except KafkaException as exc:
            return f"the asset registry cannot be read: {exc}"
        return None
