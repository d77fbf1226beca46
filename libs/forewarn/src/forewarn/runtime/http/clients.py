"""How one service identifies itself to another."""

from typing import Final

#: The API reserves places in its live feed for clients with this header. It is no authentication: the token is.
CLIENT_HEADER: Final = "X-Forewarn-Client"
DASHBOARD: Final = "dashboard"
