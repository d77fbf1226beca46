"""Exit 0 when this container's service says that it is ready; print what it says otherwise.

Asks with a bare socket: this runs every few seconds in every container, and importing ``http.client`` would
cost several times as much as the question.
"""

import os
import socket
import sys

_REQUEST = b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n"


def main() -> int:
    """Ask ``/readyz``."""
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
