"""Specification of a page: address, loading, drawing, dialogs, callbacks."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component

from forewarn_dashboard.dependencies import Dependencies
from forewarn_dashboard.plant import LivePlant
from forewarn_dashboard.scene import Node, Region, Scene, Update, ViewT
from forewarn_dashboard.tab import PageState, Tab
from forewarn_dashboard.view import View

_LONGEST_PATH: Final = 208

SceneT = TypeVar("SceneT", bound=Scene[Any])


class CannotShowError(Exception):
    """The page cannot be shown; ``content`` says why."""

    def __init__(self, title: str, content: Node) -> None:
        super().__init__(title)
        self.title = title
        self.content = content


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpec(Generic[ViewT, SceneT]):
    """A page. To add one, write a folder with such a value and a line in ``pages.registry``."""

    title: str  #: of the document, and of the link in the menu
    view: type[ViewT]  #: reads and writes the address
    #: Loads what the regions show from the API; may raise ``ApiError`` and ``CannotShowError``.
    load: Callable[[Scene[ViewT], Dependencies], Awaitable[SceneT]]
    regions: Callable[[SceneT], Iterator[Region]]  #: parts that change while the page is open
    render: Callable[[SceneT], Node]  #: the whole page
    #: Like ``load``, for the whole page, if that needs more.
    open: Callable[[Scene[ViewT], Dependencies], Awaitable[SceneT]] | None = None
    #: On a page with a search field: everything but the field, by component id, so that it keeps the focus.
    redraw: Callable[[SceneT], dict[str, Node]] | None = None
    #: Updates for an open tab, once a second; by default the changed regions of a loaded scene.
    follow: Callable[[Scene[ViewT], Dependencies, Tab], Awaitable[list[Update]]] | None = None
    parent: str = ""  #: title of the page that represents it in the menu; empty: it is in the menu itself
    badge: tuple[str, Callable[[LivePlant], int]] | None = None  #: id and value of a count beside the link
    stores: Sequence[str] = ()  #: ids
    dialogs: Callable[[], Sequence[Component]] = tuple  #: they stay while pages change
    controls: Callable[[], Sequence[Component]] = tuple  #: components with the ids in its callbacks
    register: Callable[[Dash, Dependencies], None] | None = None  #: registers callbacks and routes

    async def opened(self, scene: Scene[ViewT], dependencies: Dependencies) -> SceneT:
        """Load everything needed to draw the whole page."""
        return await (self.open or self.load)(scene, dependencies)

    async def news(self, scene: Scene[ViewT], dependencies: Dependencies, tab: Tab) -> list[Update]:
        """Return the updates for an open tab."""
        if self.follow is not None:
            return await self.follow(scene, dependencies, tab)
        return tab.changed(self.regions(await self.load(scene, dependencies)))


AnyPage = PageSpec[Any, Any]


class Pages:
    """All pages of a dashboard; ``missing`` is for unknown addresses."""

    def __init__(self, specs: Iterable[AnyPage], missing: AnyPage) -> None:
        self._specs = tuple(specs)
        self._missing = missing

    def __iter__(self) -> Iterator[AnyPage]:
        """Return the pages in the order of the menu."""
        return iter(self._specs)

    def scene(self, shown: PageState, dependencies: Dependencies) -> tuple[AnyPage, Scene[Any]]:
        """Return the page of an address, and its scene before anything is loaded."""
        page, view = self._find(unquote(shown.path)[:_LONGEST_PATH], shown.query)
        scene = Scene(
            view=replace(view, utc=shown.utc),
            plant=dependencies.hub.plant,
            now=dependencies.clock.now(),
            tz=shown.tz,
        )
        return page, scene

    def _find(self, path: str, query: Mapping[str, str]) -> tuple[AnyPage, View]:
        views = ((page, page.view.read(path, query)) for page in self._specs)
        return next(((page, view) for page, view in views if view is not None), (self._missing, self._missing.view()))

    def has(self, path: str) -> bool:
        """Return whether a path is that of a page."""
        return any(spec.view.read(path, {}) is not None for spec in self._specs)


def run_in_browser(app: Dash, function: str, *wiring: Input | Output | State, initial: bool = False) -> None:
    """Register a function of ``assets/forewarn.js`` as a callback."""
    call = ClientsideFunction("forewarn", function)
    app.clientside_callback(call, *wiring, prevent_initial_call=not initial)  # type: ignore[no-untyped-call]  # of Dash
