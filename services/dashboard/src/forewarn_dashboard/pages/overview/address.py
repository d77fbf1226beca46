"""Address of the overview: ``/?q=&show=&sort=&page=``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from forewarn_dashboard.view import ListView, known, list_part, unless

SORTS: Final = {"area": "Area", "attention": "Attention first", "name": "Name", "health": "Health"}
SHOWS: Final = {"all": "All", "attention": "Needs attention", "stale": "No fresh data"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView(ListView):
    """Which assets, in which order."""

    sort: str = "area"
    show: str = "all"

    @classmethod
    def read(cls, path: str, query: Mapping[str, str]) -> Self | None:
        """Read the address; None if it is another page's."""
        if path not in {"/", ""}:
            return None
        sort, show = known(query.get("sort"), SORTS, "area"), known(query.get("show"), SHOWS, "all")
        return cls(**list_part(query), sort=sort, show=show)

    def path(self) -> str:
        """Return the path of the page."""
        return "/"

    def parameters(self) -> dict[str, str]:
        """Return what differs from the defaults."""
        return ListView.parameters(self) | {"sort": unless(self.sort, "area"), "show": unless(self.show, "all")}
