"""What a browser tab says it shows: written by the page callback, read back by the live push."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

_TEXTS: Final = ("render_id", "path", "search", "zone", "epoch", "since")
_MAX_SIGMAS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """Content of the store ``view``. It comes from the browser, so nothing in it is trusted.

    ``render_id`` names this drawing of the page, ``epoch`` the stretch of the live feed it was drawn in,
    ``since`` the newest instant on its charts (ISO 8601, empty for none), ``sigmas``
    the the width of the healthy band of each tag.
    """

    render_id: str = ""
    path: str = "/"
    search: str = ""
    zone: str = ""
    epoch: str = ""
    since: str = ""
    sigmas: dict[str, float | None] = field(default_factory=dict)

    def to_store(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)

    @classmethod
    def from_store(cls, data: object) -> "PageState | None":
        """Read the store; None if it is empty or not ours."""
        if not isinstance(data, dict):
            return None
        texts = {name: text for name in _TEXTS if isinstance(text := data.get(name), str)}
        sigmas = data.get("sigmas")
        if len(texts) < len(_TEXTS) or not isinstance(sigmas, dict):
            return None
        widths = {
            str(tag): float(value) if isinstance(value, float | int) else None
            for tag, value in list(sigmas.items())[:_MAX_SIGMAS]
        }
        return cls(**texts, sigmas=widths)

    @property
    def since_instant(self) -> datetime | None:
        """``since`` as an instant; None if empty or odd."""
        try:
            parsed = datetime.fromisoformat(self.since)
        except ValueError:
            return None
        return parsed if parsed.tzinfo is not None else None
