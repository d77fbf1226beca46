"""HTTP over bare sockets: requests that no client would send, and clients that stop in the middle of one."""

import contextlib
import json
import socket

TIMEOUT_S = 20


def opened(port, *, receive_bytes=None):
    """A connection; ``receive_bytes`` keeps the kernel from reading ahead for a client that does not read."""
    line = socket.socket()
    if receive_bytes is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    line.settimeout(TIMEOUT_S)
    line.connect(("127.0.0.1", port))
    return line


def until_closed(line):
    """All that the server sends until it hangs up."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := line.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def ask(port, data):
    """Status and problem of what a server answers to raw bytes before it hangs up; (None, None) without an answer."""
    with opened(port) as line:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.sendall(data)
        return parsed(until_closed(line))


def parsed(answer):
    """Status and problem, or text, of an answer."""
    if not answer:
        return None, None
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    is_json = b"json" in head
    return status, json.loads(body) if is_json else body.decode()


def request(target="/", *headers, method="GET", host="Host: test"):
    """A request that asks for the connection to be closed."""
    lines = [f"{method} {target} HTTP/1.1", *([host] if host is not None else []), "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
