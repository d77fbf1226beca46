"""What a browser tab says it shows: written by the page callback, read back by the live push."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

_TEXTS: Final = ("render_id", "path", "search", "zone", "epoch", "since")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """Content of the store ``view``. It comes from the browser, so nothing in it is trusted.

    ``render_id`` names this drawing of the page, ``epoch`` the stretch of the live feed it was drawn in,
    ``since`` the newest instant on its charts (ISO 8601, empty for none).
    """

    render_id: str = ""
    path: str = "/"
    search: str = ""
    zone: str = ""
    epoch: str = ""
    since: str = ""

    def to_store(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)

    @classmethod
    def from_store(cls, data: object) -> "PageState | None":
        """Read the store; None if it is empty or not ours."""
        if not isinstance(data, dict):
            return None
        texts = {name: text for name in _TEXTS if isinstance(text := data.get(name), str)}
        return cls(**texts) if len(texts) == len(_TEXTS) else None

    @property
    def since_instant(self) -> datetime | None:
        """``since`` as an instant; None if empty or odd."""
        try:
            parsed = datetime.fromisoformat(self.since)
        except ValueError:
            return None
        return parsed if parsed.tzinfo is not None else None
