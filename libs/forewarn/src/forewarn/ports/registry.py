"""Which assets are registered."""

from collections.abc import Callable, Mapping
from typing import Protocol

from forewarn.contracts.assets import Asset


class RegisteredAssets(Protocol):
    """The asset registry; every method returns at once."""

    def get(self, asset_id: str) -> Asset | None:
        """Return the asset, or None if it is not registered."""
        ...

    def all(self) -> Mapping[str, Asset]:
        """Return every asset by id."""
        ...

    def count(self) -> int:
        """Return the number of registered assets."""
        ...

    def listen(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call ``on_change`` after changes, from any thread; return a function that stops it."""
        ...

    def problem(self) -> str | None:
        """Return why the registry is incomplete; None if it is complete."""
        ...
