"""Address of the overview: ``/?q=&show=&sort=&page=``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from forewarn_dashboard.view import ListView, known, unless

SORTS: Final = {"area": "Area", "attention": "Attention first", "name": "Name", "health": "Health"}
SHOWS: Final = {"all": "All", "attention": "Needs attention", "stale": "No fresh data"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView(ListView):
    """Filter and sort order of assets."""

    PATHS = ("/", "")

    sort: str = "area"
    show: str = "all"

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> dict[str, Any]:
        """Read the parameters."""
        own = {"sort": known(query.get("sort"), SORTS, "area"), "show": known(query.get("show"), SHOWS, "all")}
        return ListView.parse(query) | own

    def parameters(self) -> dict[str, str]:
        """Return what differs from the defaults."""
        return ListView.parameters(self) | {"sort": unless(self.sort, "area"), "show": unless(self.show, "all")}
