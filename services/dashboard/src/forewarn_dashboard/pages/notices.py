"""Notices in place of a page that cannot be shown."""

from dataclasses import dataclass
from typing import Final

from dash import dcc, html

from forewarn_dashboard.components import empty_state
from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.page import PageSpec
from forewarn_dashboard.pages.overview.address import OverviewView
from forewarn_dashboard.scene import Node, Scene
from forewarn_dashboard.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyView(View):
    """An unknown address."""

    PATHS = ("/",)  # for the links to the other clock, as the missing page has no path


def api_away(problem: str) -> Node:
    """Draw the notice that the API does not answer."""
    patience = "This page continues as soon as the API answers again."
    return [html.H1("No connection to the API"), empty_state("The plant's data cannot be read", problem, patience)]


async def _load(scene: Scene[AnyView], _dependencies: Dependencies) -> Scene[AnyView]:
    return scene


def _render(scene: Scene[AnyView]) -> Node:
    back = dcc.Link("Go to the overview", href=scene.view.to(OverviewView))
    return [html.H1("Page not found"), empty_state("There is no such page", back)]


NOT_FOUND: Final = PageSpec(
    title="Page not found", view=AnyView, load=_load, regions=lambda _: iter(()), render=_render
)
