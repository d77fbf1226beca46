"""Scene of the asset page."""

from dataclasses import dataclass

from forewarn_dashboard.client import NO_HISTORY, HistoryColumns
from forewarn_dashboard.details import AssetProfile
from forewarn_dashboard.pages.asset.address import AssetView
from forewarn_dashboard.pages.asset.timerange import TimeRange
from forewarn_dashboard.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetScene(Scene[AssetView]):
    """An asset with the range of its charts; ``history`` is loaded when the whole page is drawn."""

    detail: AssetProfile
    window: TimeRange
    history: HistoryColumns = NO_HISTORY

    @property
    def heading(self) -> str:
        """Name of the asset."""
        return self.detail.asset.name

    @property
    def since(self) -> str:
        """Newest instant on the charts."""
        return self.history.times[-1].isoformat() if self.history.times else ""
