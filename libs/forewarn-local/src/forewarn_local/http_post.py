"""POST a JSON document to the platform's API."""

import http.client
import json
from urllib.parse import urlsplit


def post(
    url: str, document: dict[str, object], *, timeout_s: float = 30.0, token: str | None = None
) -> tuple[int, dict[str, object]]:
    """Return (status, answer); status 0 and a reason under "detail" if nothing answered."""
    parts = urlsplit(url)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("POST", parts.path or "/", body=json.dumps(document), headers=headers)
        response = connection.getresponse()
        answer = json.loads(response.read() or b"{}")
        return response.status, answer if isinstance(answer, dict) else {"detail": str(answer)}
    except (OSError, http.client.HTTPException, ValueError) as exc:
        return 0, {"detail": str(exc) or type(exc).__name__}
    finally:
        connection.close()
