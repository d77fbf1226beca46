"""Everything a page is drawn from at one instant, and the regions that a page consists of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from dash.development.base_component import Component

from forewarn.contracts.answers.alarms import AlarmList
from forewarn.contracts.answers.overview import Overview
from forewarn_dashboard.client import ApiError
from forewarn_dashboard.details import AssetProfile
from forewarn_dashboard.plant import Plant
from forewarn_dashboard.urls import View

#: What a Dash component takes as children.
Single = Component | str | float | int | None
Node = Single | Sequence[Single]

ComponentId = str | dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Input of every page: pure data, no connections.

    ``closed`` is set for the page of closed alarms, ``fleet`` for the overview of a large plant.
    """

    view: View
    plant: Plant
    now: datetime
    tz: tzinfo
    detail: AssetProfile | None = None
    closed: AlarmList | ApiError | None = None
    fleet: Overview | None = None


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


def draw(regions: Iterator[Region]) -> dict[str, Node]:
    """Children of every region, by the text of its id: a page's first drawing."""
    return {region_name(region.id): region.build() for region in regions}


def region_name(identifier: ComponentId) -> str:
    """Hashable name of a component id."""
    return identifier if isinstance(identifier, str) else "/".join(f"{k}={v}" for k, v in sorted(identifier.items()))
