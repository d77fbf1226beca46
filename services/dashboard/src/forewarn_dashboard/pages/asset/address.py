"""Address of an asset: ``/asset/<id>?from=&to=&tags=&live=0``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote

from forewarn.contracts.base import IDENTIFIER
from forewarn_dashboard.pages.asset.timerange import DEFAULT_FROM, DEFAULT_TO
from forewarn_dashboard.tab import PageState
from forewarn_dashboard.view import View, unless

_PATH: Final = re.compile(f"^/asset/({IDENTIFIER})/?$")
_TAG: Final = re.compile(r"^[a-z][a-z0-9_]{0,47}$")
_MOST_TAGS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetView(View):
    """Asset, time range and signals; ``updating`` unless the page is paused."""

    asset_id: str
    start: str = DEFAULT_FROM
    end: str = DEFAULT_TO
    tags: tuple[str, ...] = ()
    updating: bool = True

    @classmethod
    def read(cls, path: str, query: Mapping[str, str]) -> Self | None:
        """Read an address; None for another page's."""
        match = _PATH.match(path)
        if match is None:
            return None
        return cls(
            asset_id=match.group(1),
            start=query.get("from", DEFAULT_FROM)[:40],
            end=query.get("to", DEFAULT_TO)[:40],
            tags=tuple(dict.fromkeys(tag for tag in query.get("tags", "").split(",") if _TAG.match(tag)))[:_MOST_TAGS],
            updating=query.get("live") != "0",
        )

    @property
    def live(self) -> bool:
        """Whether the page follows the plant."""
        return self.updating

    def path(self) -> str:
        """Return the path of the page."""
        return f"/asset/{quote(self.asset_id)}"

    def parameters(self) -> dict[str, str]:
        """Return what differs from the defaults."""
        return {
            "from": unless(self.start, DEFAULT_FROM),
            "to": unless(self.end, DEFAULT_TO),
            "tags": ",".join(self.tags),
            "live": "" if self.updating else "0",
        }


def asset_of(store: object) -> str:
    """Return the id of the asset whose page a tab shows; empty on other pages."""
    state = PageState.from_store(store)
    view = None if state is None else AssetView.read(state.path, {})
    return "" if view is None else view.asset_id
