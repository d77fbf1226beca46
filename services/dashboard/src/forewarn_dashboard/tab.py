"""State of a browser tab: what it shows, and what it has been sent."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from urllib.parse import parse_qsl

from forewarn_dashboard.formatting import zone
from forewarn_dashboard.scene import Region, Update, region_name

_TEXTS: Final = ("render_id", "path", "search", "zone", "epoch", "since")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """Content of the store ``view``: written when a page is drawn, read back from the browser, so not trusted.

    ``render_id`` identifies the drawing of the page, ``epoch`` the stretch of the live feed it belongs to; ``since`` is
    the newest instant on its charts (ISO 8601, empty for none).
    """

    render_id: str = ""
    path: str = "/"
    search: str = ""
    zone: str = ""
    epoch: str = ""
    since: str = ""

    def to_store(self) -> dict[str, Any]:
        """Return the store's content."""
        return asdict(self)

    @classmethod
    def from_store(cls, data: object) -> "PageState | None":
        """Read the store; None if it is empty or invalid."""
        if not isinstance(data, dict):
            return None
        texts = {name: text for name in _TEXTS if isinstance(text := data.get(name), str)}
        return cls(**texts) if len(texts) == len(_TEXTS) else None

    @property
    def query(self) -> dict[str, str]:
        """Parameters of the address."""
        return dict(parse_qsl(self.search.removeprefix("?")[:4000], keep_blank_values=False))

    @property
    def utc(self) -> bool:
        """Whether the page shows UTC instead of the browser's zone."""
        return self.query.get("tz") == "utc"

    @property
    def tz(self) -> tzinfo:
        """Time zone of the page."""
        return UTC if self.utc else zone(self.zone)

    @property
    def since_instant(self) -> datetime | None:
        """Return ``since`` as an instant; None if empty or invalid."""
        try:
            parsed = datetime.fromisoformat(self.since)
        except ValueError:
            return None
        return parsed if parsed.tzinfo is not None else None


@dataclass(slots=True)
class Tab:
    """An open tab: the page it claims to show, and what it has been sent of it."""

    page: PageState = field(default_factory=lambda: PageState(render_id="nothing shown yet"))
    keys: dict[str, object] = field(default_factory=dict)
    newest: datetime | None = None
    refreshed: bool = False

    def show(self, page: PageState) -> None:
        """Take over the tab's page; another drawing of it has to be sent everything again."""
        if page.render_id != self.page.render_id:
            self.newest, self.refreshed = page.since_instant, False
            self.keys.clear()
        self.page = page

    def changed(self, regions: Iterable[Region]) -> list[Update]:
        """Return updates of the regions that have changed since they were sent."""
        updates: list[Update] = []
        drawn: set[str] = set()
        for region in regions:
            name = region_name(region.id)
            if name in self.keys and self.keys[name] == region.key:
                continue
            self.keys[name] = region.key
            if region.inside is None or region_name(region.inside) not in drawn:
                drawn.add(name)
                updates.append((region.id, {"children": region.build()}))
        return updates

    def refresh(self, reason: str) -> list[Update]:
        """Return the update that makes the tab redraw its page; once per drawing."""
        if self.refreshed:
            return []
        self.refreshed = True
        return [("refresh", {"data": f"{self.page.render_id} {reason}"})]
