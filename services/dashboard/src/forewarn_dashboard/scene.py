"""Input of a page at an instant, and the regions of a page."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from typing import Any, Generic, TypeVar

from dash.development.base_component import Component

from forewarn_dashboard.plant import LivePlant
from forewarn_dashboard.view import View

#: Children of a Dash component.
Single = Component | str | float | int | None
Node = Single | Sequence[Single]

ComponentId = str | dict[str, str]
#: Properties of a component that change.
Update = tuple[ComponentId, dict[str, Any]]

ViewT = TypeVar("ViewT", bound=View)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene(Generic[ViewT]):
    """Input of a page, as pure data. Pages that load more extend it."""

    view: ViewT
    plant: LivePlant
    now: datetime
    tz: tzinfo

    @property
    def heading(self) -> str:
        """Title of the content, if it differs from the page's."""
        return ""

    @property
    def since(self) -> str:
        """Newest instant on the charts (ISO 8601), from which live readings continue."""
        return ""

    def shared(self) -> dict[str, Any]:
        """Return the fields of every scene, as arguments of an extended one."""
        return {item.name: getattr(self, item.name) for item in fields(Scene)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Part of a page that is updated by itself.

    Nothing is sent while ``key`` stays equal. ``inside`` names a region whose ``build`` draws this one too.
    """

    id: ComponentId
    key: object
    build: Callable[[], Node]
    inside: ComponentId | None = None


def draw(regions: Iterable[Region]) -> dict[str, Node]:
    """Draw the regions that no other region draws; return children by the text of their ids."""
    return {region_name(region.id): region.build() for region in regions if region.inside is None}


def region_name(identifier: ComponentId) -> str:
    """Return a component id in hashable form."""
    return identifier if isinstance(identifier, str) else "/".join(f"{k}={v}" for k, v in sorted(identifier.items()))
