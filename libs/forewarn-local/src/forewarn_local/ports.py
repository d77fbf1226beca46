"""Choose free TCP ports."""

import socket
from collections.abc import Callable

from forewarn_local.errors import PortTakenError

HOST = "127.0.0.1"
_TRIES = 50


def is_free(port: int, host: str = HOST) -> bool:
    """Say whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no owner
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def any_free(host: str = HOST) -> int:
    """Return a port nobody listens on, chosen by the kernel."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def choose(
    wanted: int,
    *,
    what: str,
    host: str = HOST,
    taken: set[int] | None = None,
    notice: Callable[[str], None] | None = None,
) -> int:
    """Return the wanted port if it is free, else the next free one.

    Parameters
    ----------
    wanted
        First choice.
    what
        Name of the server, for messages.
    host
        Address it will listen on.
    taken
        Ports already promised to others; the chosen one is added.
    notice
        Told when it is not the wanted one.

    Raises
    ------
    PortTakenError
        None of the next ports is free.
    """
    promised = set() if taken is None else taken
    for port in range(wanted, min(wanted + _TRIES, 65536)):
        if port not in promised and is_free(port, host):
            promised.add(port)
            if port != wanted and notice is not None:
                notice(f"Port {wanted} is taken, so {what} uses {port}.")
            return port
    raise PortTakenError(
        f"No free port for {what} from {wanted} to {wanted + _TRIES - 1} on {host}. "
        "Stop what listens there or choose another port in .env."
    )


def accepts(port: int, host: str = HOST, timeout_s: float = 0.5) -> bool:
    """Say whether something accepts connections on the port."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
