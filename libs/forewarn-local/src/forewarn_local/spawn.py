"""Child processes that do not outlive their parent and do not block on a full pipe."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(number: int = signal.SIGKILL) -> Callable[[], None] | None:
    """Return a ``preexec_fn`` that makes the kernel signal the child when its parent dies; None except on Linux."""
    if _LIBC is None:
        return None
    libc = _LIBC

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))

    return arm


def start(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: int | None = None,
    group: int | None = None,
    parent_death_signal: int = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a program in its own process group, its output appended to ``log``.

    ``user`` and ``group`` are numeric ids and need root. The child gets ``parent_death_signal`` if this process dies
    without stopping it.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            process_group=0,  # Ctrl-C in the terminal goes to the parent, which stops its children in order
            preexec_fn=die_with_parent(parent_death_signal),  # noqa: PLW1509  # only calls prctl
        )


def tail(path: Path, lines: int = 25) -> str:
    """Return the last lines of a log file, or a remark that it is missing or empty."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - lines * 400))
            text = stream.read().decode(errors="replace")
    except OSError as exc:
        return f"(no log: {exc})"
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


def stop(process: subprocess.Popen[bytes], *, number: int, timeout_s: float) -> None:
    """Signal a child and wait for its end; SIGKILL it after the timeout."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
