"""Print the answer of this container's ``/readyz``; exit 0 if the service is ready.

It uses a bare socket: this runs every few seconds in every container, and importing ``http.client`` would cost
several times as much as the request.
"""

import os
import socket
import sys

_REQUEST = b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n"


def main() -> int:
    """Request ``/readyz``."""
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["PROBE_PORT"])), timeout=2) as connection:
            connection.sendall(_REQUEST)
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError as exc:
        sys.stdout.write(f"no answer: {exc}\n")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    sys.stdout.write(body.decode(errors="replace")[:500])
    return 0 if b" 200 " in head.partition(b"\r\n")[0] else 1


if __name__ == "__main__":
    sys.exit(main())
