"""Requests to the platform's own services, with the standard library."""

import http.client
import json
from urllib.parse import urlsplit


def get(url: str, *, timeout_s: float = 2.0, token: str | None = None) -> tuple[int, str]:
    """Return (status, body); status 0 and the reason if nothing answered."""
    return _request("GET", url, None, timeout_s, token)


def post(
    url: str, document: dict[str, object], *, timeout_s: float = 30.0, token: str | None = None
) -> tuple[int, dict[str, object]]:
    """Send a JSON document; return (status, answer), or status 0 and the reason under "detail" if nothing answered."""
    status, body = _request("POST", url, json.dumps(document), timeout_s, token)
    try:
        answer = json.loads(body or "{}")
    except ValueError:
        answer = body
    return status, answer if isinstance(answer, dict) else {"detail": str(answer)}


def readiness(port: int) -> str | None:
    """Return why the service with this probe port is not ready; None if it is."""
    status, body = get(f"http://127.0.0.1:{port}/readyz")
    return None if status == http.client.OK else body.strip()[:200] or f"answers {status}"


def has_items(body: str) -> bool:
    """Return whether a JSON answer is, or holds at its first level, a non-empty list."""
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    candidates = list(answer.values()) if isinstance(answer, dict) else [answer]
    return any(isinstance(value, list) and value for value in candidates)


def _request(method: str, url: str, body: str | None, timeout_s: float, token: str | None) -> tuple[int, str]:
    parts = urlsplit(url)
    headers = {} if body is None else {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request(method, parts.path or "/", body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as exc:
        return 0, str(exc) or type(exc).__name__
    finally:
        connection.close()
