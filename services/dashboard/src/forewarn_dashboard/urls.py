"""Every view state lives in the address: this module reads and writes it."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode

from forewarn.contracts.base import IDENTIFIER
from forewarn_dashboard.pages.asset.timerange import DEFAULT_FROM, DEFAULT_TO

Page = Literal["overview", "asset", "alarms", "missing"]

SORTS: Final = {"area": "Area", "attention": "Attention first", "name": "Name", "health": "Health"}
SHOWS: Final = {"all": "All", "attention": "Needs attention", "stale": "No fresh data"}
PRIORITIES: Final = ("critical", "high", "medium", "low")

_MAX_TEXT: Final = 200
_ASSET: Final = re.compile(IDENTIFIER)
_MAX_NUMBER: Final = 20_000
_ASSET_PATH: Final = re.compile(f"^/asset/({IDENTIFIER})/?$")
_TAG: Final = re.compile(r"^[a-z][a-z0-9_]{0,47}$")
_CURSOR: Final = re.compile(r"^[A-Za-z0-9_=.\-]{1,600}$")
_PAGES: Final[dict[str, Page]] = {"/": "overview", "": "overview", "/alarms": "alarms", "/alarms/": "alarms"}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the browser shows, read from path and query; unknown or odd parameters fall back to defaults.

    ``number`` is the page of a long list. ``closed`` shows alarms that are over, those before the API's cursor
    ``older_than`` if it is set.
    """

    page: Page
    asset_id: str = ""
    search: str = ""
    number: int = 1
    sort: str = "area"
    show: str = "all"
    start: str = DEFAULT_FROM
    end: str = DEFAULT_TO
    tags: tuple[str, ...] = ()
    live: bool = True
    priority: str = ""
    unacknowledged: bool = False
    alarms_of: str = ""
    closed: bool = False
    older_than: str = ""
    utc: bool = False

    def path(self) -> str:
        """Path of the page."""
        if self.page == "asset":
            return f"/asset/{quote(self.asset_id)}"
        return "/alarms" if self.page == "alarms" else "/"

    def query(self) -> str:
        """Query with only what differs from the defaults, without the question mark."""
        own: dict[str, str] = {}
        if self.page == "overview":
            own = {
                "q": self.search,
                "page": _page_text(self.number),
                "sort": _unless(self.sort, "area"),
                "show": _unless(self.show, "all"),
            }
        elif self.page == "asset":
            own = {
                "from": _unless(self.start, DEFAULT_FROM),
                "to": _unless(self.end, DEFAULT_TO),
                "tags": ",".join(self.tags),
                "live": "" if self.live else "0",
            }
        elif self.page == "alarms":
            own = {
                "q": self.search,
                "page": "" if self.closed else _page_text(self.number),
                "priority": self.priority,
                "ack": "no" if self.unacknowledged else "",
                "asset": self.alarms_of,
                "state": "closed" if self.closed else "",
                "cursor": self.older_than if self.closed else "",
            }
        own["tz"] = "utc" if self.utc else ""
        return urlencode({key: value for key, value in own.items() if value}, safe=":,")

    def href(self, **changes: object) -> str:
        """Address of this view with some parts changed; another choice starts at its first page."""
        view = replace(self, **{"number": 1, **changes})  # type: ignore[arg-type]  # the field names are checked at run time
        query = view.query()
        return f"{view.path()}?{query}" if query else view.path()

    def to(self, page: Page, **parts: object) -> str:
        """Address of another page; only the time display is carried over."""
        return View(page=page, utc=self.utc, **parts).href()  # type: ignore[arg-type]  # as above


def parse(pathname: str | None, search: str | None) -> View:
    """Read the view from ``location.pathname`` and ``location.search``."""
    path = unquote(pathname or "/")[: _MAX_TEXT + 8]
    query = dict(parse_qsl((search or "").removeprefix("?")[:4000], keep_blank_values=False))
    match = _ASSET_PATH.match(path)
    page: Page = "asset" if match else _PAGES.get(path, "missing")
    priority = query.get("priority", "")
    return View(
        page=page,
        asset_id=match.group(1) if match else "",
        search=query.get("q", "")[:_MAX_TEXT],
        number=_page_number(query.get("page", "")),
        sort=_known(query.get("sort"), SORTS, "area"),
        show=_known(query.get("show"), SHOWS, "all"),
        start=query.get("from", DEFAULT_FROM)[:40],
        end=query.get("to", DEFAULT_TO)[:40],
        tags=tuple(dict.fromkeys(tag for tag in query.get("tags", "").split(",") if _TAG.match(tag)))[:24],
        live=query.get("live") != "0",
        priority=priority if priority in PRIORITIES else "",
        unacknowledged=query.get("ack") == "no",
        alarms_of=asset_id if _ASSET.fullmatch(asset_id := query.get("asset", "")) else "",
        closed=query.get("state") == "closed",
        older_than=cursor if _CURSOR.match(cursor := query.get("cursor", "")) else "",
        utc=query.get("tz") == "utc",
    )


def is_page(pathname: str) -> bool:
    """Whether a path names a page of this dashboard."""
    return parse(pathname, None).page != "missing"


def _known(value: str | None, allowed: dict[str, str], default: str) -> str:
    return value if value is not None and value in allowed else default


def _page_number(text: str) -> int:
    return min(max(int(text), 1), _MAX_NUMBER) if text.isascii() and text.isdecimal() and len(text) < 8 else 1


def _page_text(number: int) -> str:
    return "" if number == 1 else str(number)


def _unless(value: str, default: str) -> str:
    return "" if value == default else value
