"""Health profiles of registered assets, rebuilt only when an entry changes."""

from collections.abc import Callable

from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.domain.health.profile import HealthProfile, profile_of


class Profiles:
    """Caches the profile of each asset."""

    def __init__(self, find_asset: Callable[[str], Asset | None]) -> None:
        self._find_asset = find_asset
        self._made: dict[str, tuple[Asset | None, AssetClass, HealthProfile]] = {}

    def forget(self, asset_id: str) -> None:
        """Forget a removed asset."""
        self._made.pop(asset_id, None)

    def of(self, asset_class: AssetClass, asset_id: str) -> HealthProfile:
        """Return the profile of an asset with readings of this class."""
        asset = self._find_asset(asset_id)
        made = self._made.get(asset_id)
        if made is not None and made[0] is asset and made[1] is asset_class:
            return made[2]
        profile = profile_of(asset_class, asset)
        self._made[asset_id] = (asset, asset_class, profile)
        return profile
