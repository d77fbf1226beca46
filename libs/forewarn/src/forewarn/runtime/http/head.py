"""Checks the head of a request: target, headers, host."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from forewarn.runtime.http.limits import HttpLimits

#: A host name, an IPv4 address or an IPv6 address in brackets, with or without a port (RFC 9112 §3.2).
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_RETRY_AFTER_S: Final = 2


@dataclass(frozen=True, slots=True)
class HttpRefusal:
    """Why a request is not served, before the application sees it."""

    status: HTTPStatus
    reason: str
    detail: str

    def encode(self) -> bytes:
        """Return the whole answer; the connection ends with it."""
        problem = {
            "type": f"urn:forewarn:problem:{self.reason}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        body = json.dumps(problem).encode()
        retry = f"retry-after: {_RETRY_AFTER_S}\r\n" if self.status is HTTPStatus.SERVICE_UNAVAILABLE else ""
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            "content-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
        )
        return head.encode("ascii") + body


MALFORMED: Final = HttpRefusal(HTTPStatus.BAD_REQUEST, "bad-request", "This is not a valid HTTP request.")
BAD_HOST: Final = HttpRefusal(
    HTTPStatus.BAD_REQUEST, "bad-host", "Send exactly one Host header: a host name or an address, and a port if any."
)
HEAD_TOO_SLOW: Final = HttpRefusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "request-too-slow",
    "The headers did not arrive in time: send the whole request at once.",
)
BODY_TOO_SLOW: Final = HttpRefusal(
    HTTPStatus.REQUEST_TIMEOUT, "request-too-slow", "The body arrives too slowly: send less at a time."
)
BUSY: Final = HttpRefusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "too-many-connections", "Too many requests are under way: try again."
)
BODIES_FULL: Final = HttpRefusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "too-many-bytes", "Too many bytes are under way: try again, or send less at a time."
)
SOCKETS_FULL: Final = HttpRefusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "too-many-websockets", "Too many WebSockets are open: try again later."
)


def headers_too_large(limits: HttpLimits) -> HttpRefusal:
    """Refuse request line and headers that are too long or too many."""
    detail = f"Request line and headers may have {limits.head_bytes} bytes and {limits.headers} headers: send fewer."
    return HttpRefusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", detail)


def fault_of_head(
    target: bytes, headers: Sequence[tuple[bytes, bytes]], version: str, limits: HttpLimits, *, websocket: bool
) -> HttpRefusal | None:
    """Return why a complete head is refused, or None. Header names must be in lower case."""
    if len(target) > limits.target_bytes:
        detail = f"Path and query may have {limits.target_bytes} bytes: these have {len(target)}."
        return HttpRefusal(HTTPStatus.REQUEST_URI_TOO_LONG, "target-too-long", detail)
    lines = [len(name) + len(value) + 4 for name, value in headers]
    if len(lines) > limits.headers or len(target) + sum(lines) > limits.head_bytes:
        return headers_too_large(limits)
    if websocket and max(lines, default=0) > limits.websocket_line_bytes:
        return headers_too_large(limits)
    hosts = [value for name, value in headers if name == b"host"]
    if not hosts and version == "1.0":
        return None
    return None if len(hosts) == 1 and _HOST.fullmatch(hosts[0].strip()) else BAD_HOST
