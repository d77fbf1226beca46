"""The little HTTP that waiting for services needs."""

import http.client
import json
from urllib.parse import urlsplit


def get(url: str, *, timeout_s: float = 2.0, token: str | None = None) -> tuple[int, str]:
    """Return (status, body) of a GET; status 0 and the reason if nothing answered."""
    parts = urlsplit(url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", parts.path or "/", headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as exc:
        return 0, str(exc) or type(exc).__name__
    finally:
        connection.close()


def has_items(body: str) -> bool:
    """Say whether a JSON answer is, or holds at its first level, a list with something in it."""
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    candidates = list(answer.values()) if isinstance(answer, dict) else [answer]
    return any(isinstance(value, list) and value for value in candidates)
