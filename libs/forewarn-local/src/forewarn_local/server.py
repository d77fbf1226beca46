"""Base class of the real servers that run as child processes."""

import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from forewarn_local.errors import StartFailedError
from forewarn_local.ports import any_free
from forewarn_local.spawn import stop, tail

if TYPE_CHECKING:
    import subprocess

READY_TIMEOUT_S = 120.0  # a busy machine took 52 s
STOP_TIMEOUT_S = 30.0
_POLL_S = 0.05
_ATTEMPTS = 3  # a free port can be taken before the server binds it
_PORT_LOST = "Address already in use"


class LocalServer(ABC):
    """A server that can be started, stopped in order, and killed as a crash would.

    Port 0 chooses a free one, which restarts keep. ``log`` receives the server's output.
    """

    title: ClassVar[str]
    orderly_stop: ClassVar[signal.Signals]  # shuts down in order, disconnecting clients

    def __init__(self, *, port: int, log: Path) -> None:
        self.log = log
        self._port = port or any_free()
        self._port_is_free_choice = port == 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Return the port for clients."""
        return self._port

    @property
    def pid(self) -> int | None:
        """Return the process id; None while it does not run as this object's child."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @abstractmethod
    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the process without waiting."""

    @abstractmethod
    def why_not_ready(self) -> str | None:
        """Return why clients cannot work; None if this very server answers them."""

    def start(self) -> None:
        """Start the server, unless it runs, and wait until it is ready.

        Raises StartFailedError if it did not become ready; the message includes the end of its log.
        """
        if self.pid is not None:
            return
        for attempt in range(1, _ATTEMPTS + 1):
            self._process = self.launch()
            try:
                self.wait_ready()
            except StartFailedError:
                self.kill()
                if attempt == _ATTEMPTS or not (self._port_is_free_choice and _PORT_LOST in tail(self.log)):
                    raise
                self._choose_ports()
            except BaseException:
                self.kill()
                raise
            else:
                self._port_is_free_choice = False
                return

    def _choose_ports(self) -> None:
        self._port = any_free()

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until clients can work, whoever started the server.

        Raises StartFailedError if it ended or was not ready in time; the message includes the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        while (reason := self.why_not_ready()) is not None:
            if self._process is not None and (code := self._process.poll()) is not None:
                raise StartFailedError(f"{self.title} ended with code {code} while starting.\n{tail(self.log)}")
            if time.monotonic() > deadline:
                raise StartFailedError(f"{self.title} not ready after {timeout_s:.0f} s: {reason}\n{tail(self.log)}")
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Shut the server down in order."""
        self._end(self.orderly_stop)

    def kill(self) -> None:
        """SIGKILL the server, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def _end(self, number: int) -> None:
        if self._process is not None:
            stop(self._process, number=number, timeout_s=STOP_TIMEOUT_S)
            self._process = None
