"""Free TCP ports."""

import fcntl
import socket
from collections.abc import Callable
from pathlib import Path
from typing import IO

from forewarn_local.errors import PortTakenError, PreflightError

HOST = "127.0.0.1"
_TRIES = 50


def is_free(port: int, host: str = HOST) -> bool:
    """Return whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT does not block them
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def any_free(host: str = HOST) -> int:
    """Return a free port chosen by the kernel."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class PortLocks:
    """Ports reserved by file locks in ``directory``, which all platforms of a user share, until this process ends.

    A platform chooses its ports seconds before its servers listen, and a restarting service leaves its port for a
    moment; without the locks another platform of this user could take them.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[int, IO[str]] = {}

    def take(self, port: int) -> bool:
        """Reserve a port; return False if it is reserved already, here or in another process.

        Raises PreflightError if the directory cannot be written to.
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

    def release(self) -> None:
        """Release all ports."""
        while self._held:
            self._held.popitem()[1].close()


def choose(
    wanted: int,
    *,
    what: str,
    locks: PortLocks,
    host: str = HOST,
    notice: Callable[[str], None] | None = None,
) -> int:
    """Return the wanted port if it is free, otherwise the next free one, and reserve it.

    ``what`` names the server in messages; ``notice`` receives one if the port is not the wanted one.

    Raises PortTakenError if none of the next ports is free.
    """
    for port in range(wanted, min(wanted + _TRIES, 65536)):
        if is_free(port, host) and locks.take(port):
            if port != wanted and notice is not None:
                notice(f"Port {wanted} is taken, so {what} uses {port}.")
            return port
    raise PortTakenError(
        f"No free port for {what} from {wanted} to {wanted + _TRIES - 1} on {host}. "
        "Stop what listens there or choose another port in .env."
    )


def accepts(port: int, host: str = HOST, timeout_s: float = 0.5) -> bool:
    """Return whether a server accepts connections on the port."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
