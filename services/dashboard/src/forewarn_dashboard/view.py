"""Addresses hold all view state; each page reads and writes its own part."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlencode

_LONGEST_TEXT: Final = 200
_LAST_NUMBER: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the browser shows. Unknown or invalid parameters fall back to defaults."""

    PATHS: ClassVar[tuple[str, ...]] = ()  #: of the page; links use the first

    utc: bool = False

    @classmethod
    def read(cls, path: str, query: Mapping[str, str]) -> Self | None:
        """Read an address; None for another page's."""
        return cls(**cls.parse(query)) if path in cls.PATHS else None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG003  # pages with parameters need it
        """Read the page's own parameters."""
        return {}

    def path(self) -> str:
        """Return the path of the page."""
        return self.PATHS[0]

    def parameters(self) -> dict[str, str]:
        """Return the page's own parameters; empty ones are left out of the address."""
        return {}

    @property
    def live(self) -> bool:
        """Whether the page follows the plant."""
        return True

    @property
    def query(self) -> str:
        """Query string of what differs from the defaults, without the question mark."""
        own = self.parameters() | {"tz": "utc" if self.utc else ""}
        return urlencode({key: value for key, value in own.items() if value}, safe=":,")

    @property
    def address(self) -> str:
        """Path and query."""
        return f"{self.path()}?{self.query}" if self.query else self.path()

    def href(self, **changes: object) -> str:
        """Return the address of this view with some parts changed."""
        return replace(self, **changes).address  # type: ignore[arg-type]  # the field names are checked at run time

    def to(self, page: "type[View]", **parts: object) -> str:
        """Return the address of another page, with the same time display."""
        return page(utc=self.utc, **parts).address


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView(View):
    """A page with a search field and a list of ``number`` pages."""

    search: str = ""
    number: int = 1

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> dict[str, Any]:
        """Read search text and number."""
        text = query.get("page", "")
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 1
        return {"search": query.get("q", "")[:_LONGEST_TEXT], "number": min(max(number, 1), _LAST_NUMBER)}

    def parameters(self) -> dict[str, str]:
        """Return search text and number."""
        return {"q": self.search, "page": unless(str(self.number), "1")}

    def href(self, **changes: object) -> str:
        """Return the address with some parts changed; a new filter starts at the first page."""
        return replace(self, **{"number": 1, **changes}).address  # type: ignore[arg-type]  # as above


def known(value: str | None, allowed: Mapping[str, object], default: str) -> str:
    """Return a parameter's value if it is allowed, else the default."""
    return value if value is not None and value in allowed else default


def unless(value: str, default: str) -> str:
    """Return a parameter's value for the address; empty for the default."""
    return "" if value == default else value
