"""Choose free TCP ports."""

import fcntl
import socket
from collections.abc import Callable
from pathlib import Path
from typing import IO

from forewarn_local.errors import PortTakenError, PreflightError

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


class Promises:
    """Ports promised to servers that do not listen yet, or not at this moment.

    A platform chooses its ports some seconds before its servers listen there, and a service that is started
    again leaves its own for a moment. Another platform of this user would find them free meanwhile, so each
    is held by the lock of a file, until this process ends.

    Parameters
    ----------
    directory
        Where the files are: the same for all platforms of a user.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[int, IO[str]] = {}

    def make(self, port: int) -> bool:
        """Promise a port; False if that was done already, here or in another process.

        Raises
        ------
        PreflightError
            The directory cannot be written to.
        """
        if port in self._held:
            return False
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle = (self._directory / str(port)).open("w")
        except OSError as exc:
            raise PreflightError(f"Cannot write to {self._directory}: {exc}. Set FOREWARN_CACHE elsewhere.") from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._held[port] = handle
        return True

    def withdraw(self) -> None:
        """Promise nothing any more."""
        while self._held:
            self._held.popitem()[1].close()


def choose(
    wanted: int,
    *,
    what: str,
    promises: Promises,
    host: str = HOST,
    notice: Callable[[str], None] | None = None,
) -> int:
    """Return the wanted port if it is free, else the next free one.

    Parameters
    ----------
    wanted
        First choice.
    what
        Name of the server, for messages.
    promises
        What is promised to others; the chosen one is added.
    host
        Address it will listen on.
    notice
        Told when it is not the wanted one.

    Raises
    ------
    PortTakenError
        None of the next ports is free.
    """
    for port in range(wanted, min(wanted + _TRIES, 65536)):
        if is_free(port, host) and promises.make(port):
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
