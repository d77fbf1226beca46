"""Address of the alarms: ``/alarms?q=&priority=&ack=no&asset=&page=`` and ``/alarms?state=closed&…&cursor=``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from forewarn.contracts.alarms import Priority
from forewarn.contracts.base import IDENTIFIER
from forewarn_dashboard.view import ListView, known

_ASSET: Final = re.compile(IDENTIFIER)
_CURSOR: Final = re.compile(r"^[A-Za-z0-9_=.\-]{1,600}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsView(ListView):
    """Filter of alarms.

    ``closed`` shows closed alarms, from the API's cursor ``older_than`` on if it is set.
    """

    PATHS = ("/alarms", "/alarms/")

    priority: str = ""
    unacknowledged: bool = False
    alarms_of: str = ""
    closed: bool = False
    older_than: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> dict[str, Any]:
        """Read the parameters."""
        return ListView.parse(query) | {
            "priority": known(query.get("priority"), {priority.value: None for priority in Priority}, ""),
            "unacknowledged": query.get("ack") == "no",
            "alarms_of": asset_id if _ASSET.fullmatch(asset_id := query.get("asset", "")) else "",
            "closed": query.get("state") == "closed",
            "older_than": cursor if _CURSOR.match(cursor := query.get("cursor", "")) else "",
        }

    def parameters(self) -> dict[str, str]:
        """Return what differs from the defaults."""
        own = {
            "priority": self.priority,
            "ack": "no" if self.unacknowledged else "",
            "asset": self.alarms_of,
            "state": "closed" if self.closed else "",
            "cursor": self.older_than if self.closed else "",
        }
        return ListView.parameters(self) | own | ({"page": ""} if self.closed else {})
