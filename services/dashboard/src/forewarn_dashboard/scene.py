"""Everything a page is drawn from at one instant, and the regions that a page consists of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from typing import Any, Generic, TypeVar

from dash.development.base_component import Component

from forewarn_dashboard.plant import Plant
from forewarn_dashboard.view import View

#: What a Dash component takes as children.
Single = Component | str | float | int | None
Node = Single | Sequence[Single]

ComponentId = str | dict[str, str]
#: Properties of a component that change.
Update = tuple[ComponentId, dict[str, Any]]

ViewT = TypeVar("ViewT", bound=View)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene(Generic[ViewT]):
    """Input of a page: pure data, no connections. Pages that ask the API for more extend it."""

    view: ViewT
    plant: Plant
    now: datetime
    tz: tzinfo

    @property
    def heading(self) -> str:
        """Title of what is shown, if the page's own does not say it."""
        return ""

    @property
    def since(self) -> str:
        """Newest instant on the page's charts (ISO 8601); live readings continue there."""
        return ""

    def shared(self) -> dict[str, Any]:
        """Return the fields of every scene: arguments of an extended one."""
        return {item.name: getattr(self, item.name) for item in fields(Scene)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Part of a page that changes by itself.

    ``key`` is compared: equal keys look equal, so nothing is sent. ``inside`` names a region whose
    ``build`` draws this one too.
    """

    id: ComponentId
    key: object
    build: Callable[[], Node]
    inside: ComponentId | None = None


def draw(regions: Iterable[Region]) -> dict[str, Node]:
    """Draw every region that no other one draws; children by the text of its id."""
    return {region_name(region.id): region.build() for region in regions if region.inside is None}


def region_name(identifier: ComponentId) -> str:
    """Return a hashable name of a component id."""
    return identifier if isinstance(identifier, str) else "/".join(f"{k}={v}" for k, v in sorted(identifier.items()))
