"""How a service of the platform says who it is to another one."""

from typing import Final

#: The API keeps places in its live feed for clients that name themselves here. It proves nothing: the token does.
CLIENT_HEADER: Final = "X-Forewarn-Client"
DASHBOARD: Final = "dashboard"
