"""supervisord with two changes: ``python -m forewarn_local.supervisord -n -c CONFIG``.

An unwritable log (full disk) does not end it, and every process that keeps ending is restarted at growing intervals,
not only one that ends within its first seconds.
"""

import sys
import time
from contextlib import suppress
from pathlib import Path

from supervisor import loggers, process, supervisord
from supervisor.options import decode_wait_status
from supervisor.states import ProcessStates

LASTING_S = 60.0  # a run of this length resets the count of short runs
LONGEST_PAUSE_S = 30.0


def pause_s(short_runs: int) -> float:
    """Return the pause before the next start [s]: 0 after a first short run, then 1, 2, 4 … up to 30."""
    return 0.0 if short_runs <= 1 else min(LONGEST_PAUSE_S, 2.0 ** min(short_runs - 2, 16))


class LastingLog(loggers.RotatingFileHandler):  # type: ignore[misc]  # supervisor has no types
    """A log file that drops lines while it cannot be written."""

    def emit(self, record: loggers.LogRecord) -> None:
        """Write a record if possible."""
        with suppress(OSError, ValueError):  # a failed rotation leaves the stream closed
            if self.stream.closed:
                self.reopen()
            super().emit(record)

    def reopen(self) -> None:
        """Reopen the file for appending."""
        with suppress(OSError, ValueError):
            self.close()
        self.closed = False
        self.stream = Path(self.baseFilename).open("ab")  # noqa: SIM115  # open as long as the process runs

    def handleError(self) -> None:  # noqa: N802  # supervisor's name
        """Do nothing: supervisor would write to its standard error, which is on the same disk."""


class BackingOff(process.Subprocess):  # type: ignore[misc]  # supervisor has no types
    """A process that is restarted at growing intervals until a run lasts."""

    exitstatus: int | None
    _short_runs = 0
    _due_s = 0.0

    def spawn(self) -> int | None:
        """Start it; a start that fails counts as a short run."""
        last_exit = self.exitstatus
        pid: int | None = super().spawn()
        self.exitstatus = last_exit  # shows why it was restarted
        if self.state == ProcessStates.BACKOFF:
            self._pause()
        return pid

    def finish(self, pid: int, sts: int) -> None:
        """Record how it ended and when it may start again."""
        super().finish(pid, sts)
        if self.state not in {ProcessStates.EXITED, ProcessStates.BACKOFF}:
            return  # stopped on request
        self.exitstatus = decode_wait_status(sts)[0]  # supervisor forgets it after a short run
        if self.laststop - self.laststart >= LASTING_S:
            self._short_runs = 0
        self._pause()

    def transition(self) -> None:
        """Change state, except while waiting for the next start."""
        waits = self.state in {ProcessStates.EXITED, ProcessStates.BACKOFF} and time.monotonic() < self._due_s
        if not waits:
            super().transition()

    def _pause(self) -> None:
        self._short_runs += 1
        self._due_s = time.monotonic() + pause_s(self._short_runs)
        self.delay = 0  # supervisor's own pause grows without limit


def main() -> None:
    """Run supervisord."""
    loggers.RotatingFileHandler = LastingLog
    process.Subprocess = BackingOff
    supervisord.main(sys.argv[1:])


if __name__ == "__main__":
    main()
